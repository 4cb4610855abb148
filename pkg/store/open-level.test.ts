// Whatever becomes of the files of the database, it opens, and what it has lost comes back from the copies.

import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { silentLog } from '../base/testing/call.ts';
import { decode } from '../codec/decode.ts';
import { Database } from './database.ts';
import { FORMAT } from './format.ts';
import { RecordCopies } from './record-copies.ts';
import { RecordStore } from './record-store.ts';

interface Thing {
  readonly id: string;
  readonly text: string;
}
const schema = z.strictObject({ id: z.string(), text: z.string() });
const codec = {
  encode: (thing: Thing) => thing,
  decode: (json: unknown, key: string) => decode(schema, json, key, 'data_loss'),
};
const things = Array.from({ length: 20 }, (_, n) => ({ id: `sha256:${n}`, text: 'x'.repeat(1000) }));

let dir: string;
let dbDir: string;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-level-'));
  dbDir = join(dir, 'db');
  await withStore(async (store) => {
    for (const thing of things) await store.put(thing);
  });
  await withStore(() => Promise.resolve()); // opened once more, what was its log is a table
  await withStore((store) => store.put(things[0]!));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

async function withStore<T>(
  use: (store: RecordStore<string, Thing>, db: Database) => Promise<T>,
): Promise<T> {
  await using db = await Database.open(dbDir, { version: '1.0' });
  const copies = await RecordCopies.open(join(dir, 'copies'), silentLog);
  return await use(
    await RecordStore.load<string, Thing>(db, { kind: 'thing', codec, log: silentLog, copies }),
    db,
  );
}

const byId = (a: Thing, b: Thing) => a.id.localeCompare(b.id);
const list = () => withStore((store) => Promise.resolve(store.list().sort(byId)));
const files = (pattern: RegExp) =>
  readdirSync(dbDir)
    .filter((name) => pattern.test(name))
    .map((name) => join(dbDir, name));
const halve = (path: string) => {
  truncateSync(path, Math.floor(statSync(path).size / 2));
};
const empty = (path: string) => {
  truncateSync(path, 0);
};
const spoil = (path: string) => {
  writeFileSync(
    path,
    readFileSync(path).map((byte, index) => (index % 7 === 3 ? byte ^ 0xff : byte)),
  );
};
const remove = (path: string) => {
  rmSync(path);
};

const ALL = /^(CURRENT|MANIFEST-\d+|\d+\.(ldb|log))$/;
test.each([
  [
    'all files are gone',
    () => {
      files(ALL).forEach(remove);
    },
  ],
  [
    'all files are empty',
    () => {
      files(ALL).forEach(empty);
    },
  ],
  [
    'all files are cut in half',
    () => {
      files(ALL).forEach(halve);
    },
  ],
  [
    'all files are spoilt',
    () => {
      files(ALL).forEach(spoil);
    },
  ],
  [
    'CURRENT is gone',
    () => {
      files(/CURRENT/).forEach(remove);
    },
  ],
  [
    'CURRENT is empty',
    () => {
      files(/CURRENT/).forEach(empty);
    },
  ],
  [
    'CURRENT names what is not there',
    () => {
      files(/CURRENT/).forEach((path) => {
        writeFileSync(path, 'MANIFEST-999999\n');
      });
    },
  ],
  [
    'the manifest is gone',
    () => {
      files(/MANIFEST/).forEach(remove);
    },
  ],
  [
    'the manifest is cut in half',
    () => {
      files(/MANIFEST/).forEach(halve);
    },
  ],
  [
    'the manifest is spoilt',
    () => {
      files(/MANIFEST/).forEach(spoil);
    },
  ],
  [
    'the tables are gone',
    () => {
      files(/\.ldb/).forEach(remove);
    },
  ],
  [
    'the tables are cut in half',
    () => {
      files(/\.ldb/).forEach(halve);
    },
  ],
  [
    'the tables are spoilt',
    () => {
      files(/\.ldb/).forEach(spoil);
    },
  ],
  [
    'the log is gone',
    () => {
      files(/\.log/).forEach(remove);
    },
  ],
  [
    'the log is spoilt',
    () => {
      files(/\.log/).forEach(spoil);
    },
  ],
  [
    'the directory is gone',
    () => {
      rmSync(dbDir, { recursive: true });
    },
  ],
  [
    'the directory is a file',
    () => {
      rmSync(dbDir, { recursive: true });
      writeFileSync(dbDir, 'x');
    },
  ],
])('if %s, the records come back from their copies', async (_, damage) => {
  damage();
  expect(await list()).toEqual([...things].sort(byId));
  expect(await list()).toEqual([...things].sort(byId));
});

test('no more than two databases that could not be repaired are kept', async () => {
  for (let n = 0; n < 4; n++) {
    rmSync(dbDir, { recursive: true });
    writeFileSync(dbDir, 'x');
    await list();
  }
  expect(readdirSync(dir).filter((name) => name.startsWith('db.broken-'))).toHaveLength(2);
});

test('what was removed does not come back', async () => {
  await withStore((store) => store.remove('sha256:3'));
  rmSync(dbDir, { recursive: true });
  expect((await list()).map(({ id }) => id)).not.toContain('sha256:3');
});

test('a copy that cannot be read costs nothing', async () => {
  for (const name of readdirSync(join(dir, 'copies'))) writeFileSync(join(dir, 'copies', name), '{"id":');
  expect(await list()).toHaveLength(things.length);
  rmSync(dbDir, { recursive: true });
  expect(await list()).toEqual([...things].sort(byId)); // they were written anew
});

test('copies that cannot be written keep nobody from writing records', async () => {
  await withStore(async (store) => {
    rmSync(join(dir, 'copies'), { recursive: true });
    writeFileSync(join(dir, 'copies'), '');
    await store.put({ id: 'new', text: '' });
    expect(store.find('new')).toBeDefined();
    rmSync(join(dir, 'copies'));
  });
  expect(await list()).toHaveLength(things.length + 1);
});

test('a database of a later format is refused, and says which version wrote it', async () => {
  await withStore((_, db) => db.commit(db.put('database', 'format', { v: FORMAT + 1, writtenBy: '9.9.9' })));
  await expect(Database.open(dbDir, { version: '1.0' })).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `cannot use the database "${dbDir}": davit 9.9.9 has written it in format ${FORMAT + 1}, and davit 1.0 knows format ${FORMAT}; start that version`,
  });
});
