import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import * as z from 'zod';
import { silentLog } from '../base/testing/call.ts';
import { decode } from '../codec/decode.ts';
import { Database } from './database.ts';
import { RecordStore, type Codec } from './record-store.ts';

interface Thing {
  readonly id: string;
  readonly size: number;
}
const codec: Codec<Thing> = {
  encode: (thing) => thing,
  decode: (json, key) => decode(z.strictObject({ id: z.string(), size: z.number() }), json, key, 'data_loss'),
};
const load = (db: Database, kind = 'thing', log = silentLog) =>
  RecordStore.load<string, Thing>(db, { kind, codec, log });

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'davit-test-store-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

test('what was put is there after the database is opened again, and what was removed is not', async () => {
  {
    await using db = await Database.open(dir);
    const store = await load(db);
    await store.put({ id: 'a', size: 1 });
    await store.put({ id: 'b', size: 2 });
    await store.remove('a');
    await store.remove('a');
  }
  await using db = await Database.open(dir);
  expect((await load(db)).list()).toEqual([{ id: 'b', size: 2 }]);
});

test('records of one kind are not seen as those of another', async () => {
  await using db = await Database.open(dir);
  await (await load(db, 'thing')).put({ id: 'a', size: 1 });
  expect((await load(db, 'things')).list()).toEqual([]);
});

test('several changes are made together, in memory too', async () => {
  await using db = await Database.open(dir);
  const [one, two] = [await load(db, 'one'), await load(db, 'two')];
  await one.put({ id: 'a', size: 1 });
  await db.commit(one.removing('a'), two.putting({ id: 'a', size: 1 }));
  expect({ one: one.list(), two: two.list() }).toEqual({ one: [], two: [{ id: 'a', size: 1 }] });
});

test('a record that cannot be read is set aside whole, logged once, and costs the others nothing', async () => {
  await using db = await Database.open(dir);
  const bad = { id: 'bad', size: 'large' };
  await db.commit(db.put('thing', 'bad', bad), db.put('thing', 'good', { id: 'good', size: 1 }));
  const logged: object[] = [];
  const log = { ...silentLog, error: (fields: object) => void logged.push(fields) };
  expect((await load(db, 'thing', log)).list()).toEqual([{ id: 'good', size: 1 }]);
  expect((await load(db, 'thing', log)).list()).toHaveLength(1);
  expect(logged).toMatchObject([{ kind: 'thing', key: 'bad' }]);
  const [aside] = await db.entries('unreadable');
  expect(aside?.[0]).toBe('thing/bad');
  expect(aside?.[1]).toContain('large');
});

test('findByPrefix() finds the only one, and none where several fit', async () => {
  await using db = await Database.open(dir);
  const store = await load(db);
  for (const id of ['abc', 'abd', 'ab']) await store.put({ id, size: 0 });
  expect(['abc', 'ab', 'a', 'x', ''].map((prefix) => store.findByPrefix(prefix)?.id)).toEqual([
    'abc',
    'ab',
    undefined,
    undefined,
    undefined,
  ]);
});

test('a database that another process uses is refused by name', async () => {
  await using _db = await Database.open(dir);
  await expect(Database.open(dir)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `another process uses "${dir}"`,
  });
});

test('a listener is told of every change, with what was before and what is after', async () => {
  await using db = await Database.open(dir);
  const store = await load(db);
  const told: unknown[] = [];
  store.onChange((before, after) => {
    told.push([before?.size, after?.size, store.find('a')?.size]);
  });
  await store.put({ id: 'a', size: 1 });
  await store.put({ id: 'a', size: 2 });
  await store.remove('a');
  await store.remove('a');
  expect(told).toEqual([
    [undefined, 1, 1],
    [1, 2, 2],
    [2, undefined, undefined],
  ]);
});

test('every write to the disk is told of', async () => {
  const outcomes: string[] = [];
  await using db = await Database.open(dir, { observe: (outcome) => outcomes.push(outcome) });
  await db.commit(db.put('thing', 'a', 1), db.put('thing', 'b', 2));
  await db.commit();
  expect(outcomes).toEqual(['ok']);
});
