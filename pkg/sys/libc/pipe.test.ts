import { closeSync, readFileSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pipe2 } from './pipe.ts';

test('pipe2() makes a pipe', () => {
  const { readFd, writeFd } = pipe2();
  writeSync(writeFd, 'through');
  closeSync(writeFd);
  expect(readFileSync(readFd, 'utf8')).toBe('through');
  closeSync(readFd);
});
