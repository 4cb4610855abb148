import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../base/testing/call.ts';
import { eventually } from '../sys/testing/eventually.ts';
import { RecordCopies } from './record-copies.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'davit-test-copies-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

test('what was put is read again, whatever its key, and what was removed is not', async () => {
  const copies = await RecordCopies.open(dir, silentLog);
  await copies.put('a/../b', 'text');
  await copies.put('gone', 'text');
  await copies.remove('gone');
  await copies.remove('never there');
  expect(await copies.readAll()).toEqual(new Map([['a/../b', 'text']]));
});

test('a copy that cannot be put into its place leaves nothing beside it', async () => {
  const copies = await RecordCopies.open(dir, silentLog);
  await mkdir(join(dir, 'a.json'));
  await copies.put('a', 'text');
  expect(await readdir(dir)).toEqual(['a.json']);
});

test('a copy that cannot be removed is removed as soon as it can be, unless it is written anew', async () => {
  const copies = await RecordCopies.open(dir, silentLog);
  for (const name of ['a', 'b']) {
    await mkdir(join(dir, `${name}.json`));
    await copies.remove(name);
    await rmdir(join(dir, `${name}.json`));
    await writeFile(join(dir, `${name}.json`), 'old');
  }
  await copies.put('b', 'new');
  await eventually(() => !existsSync(join(dir, 'a.json')));
  expect(await copies.readAll()).toEqual(new Map([['b', 'new']]));
});
