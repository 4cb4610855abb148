import { appendFileSync, openSync, readFileSync, writeFileSync, closeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeAppend } from './append.ts';
import { spawn } from './spawn.ts';
import { eventually } from './testing/eventually.ts';
import { tempDir } from './testing/temp-dir.ts';

test('makeAppend() keeps a process from writing over what others add', async () => {
  using dir = tempDir();
  const path = join(dir.path, 'file');
  writeFileSync(path, '');
  const fd = openSync(path, 'r+');
  const child = spawn({ file: '/bin/cat', args: [], stdin: 'pipe', stdout: fd });
  closeSync(fd);
  child.stdin?.write('one\n');
  await eventually(() => readFileSync(path, 'utf8') === 'one\n');
  expect(await makeAppend(child.identity, 1)).toBe(true);
  appendFileSync(path, 'two\n');
  child.stdin?.end('three\n');
  await child.exited;
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\nthree\n');
  expect(await makeAppend(child.identity, 1)).toBe(false);
});

test('makeAppend() of a descriptor that is not there does nothing', async () => {
  const child = spawn({ file: '/bin/cat', args: [], stdin: 'pipe' });
  expect(await makeAppend(child.identity, 99)).toBe(false);
  expect(await makeAppend({ ...child.identity, startTicks: '1' }, 1)).toBe(false);
  child.stdin?.end();
  await child.exited;
});
