import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LockFile } from './lock-file.ts';
import { tempDir } from './testing/temp-dir.ts';

test('LockFile is held by one at a time, who is named', async () => {
  using dir = tempDir();
  const path = dir.join('lock');
  const first = await LockFile.acquire(path);
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
  await expect(LockFile.acquire(path)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `process "${process.pid}" holds "${path}"`,
  });
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  using again = await LockFile.acquire(path);
  expect(again.path).toBe(path);
});

test('LockFile says that it cannot be made', async () => {
  await expect(LockFile.acquire('/nonexistent/lock')).rejects.toMatchObject({ code: 'ENOENT' });
});
