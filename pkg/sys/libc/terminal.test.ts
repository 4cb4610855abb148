import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openPty, setWindowSize } from './terminal.ts';

test('openPty() makes a terminal, setWindowSize() sets its size', () => {
  const { masterFd, slavePath } = openPty();
  const slaveFd = openSync(slavePath, 0o402);
  setWindowSize(masterFd, 33, 101);
  writeSync(slaveFd, 'x');
  const buffer = Buffer.alloc(1);
  readSync(masterFd, buffer);
  closeSync(slaveFd);
  closeSync(masterFd);
  expect(buffer.toString()).toBe('x');
});
