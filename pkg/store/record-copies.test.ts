import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../base/testing/call.ts';
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
