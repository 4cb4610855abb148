import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ErrnoError, isErrno } from './errno.ts';

test('ErrnoError looks like the errors of Node', () => {
  expect(new ErrnoError(2, 'mount', '/x')).toMatchObject({
    name: 'ErrnoError',
    code: 'ENOENT',
    errno: -2,
    syscall: 'mount',
    path: '/x',
    message: 'ENOENT: no such file or directory, mount "/x"',
  });
});

test('ErrnoError names errors that Node has no words for', () => {
  expect(new ErrnoError(116, 'mount').message).toBe('ESTALE: system error 116, mount');
});

test('isErrno() knows the errors of Node as well as ours', () => {
  expect(existsSync('/nonexistent')).toBe(false);
  const thrown = (() => {
    try {
      return readFileSync('/nonexistent');
    } catch (error) {
      return error;
    }
  })();
  expect(isErrno(thrown, 'EPERM', 'ENOENT')).toBe(true);
  expect(isErrno(thrown, 'EPERM')).toBe(false);
  expect(isErrno(new ErrnoError(2, 'mount'), 'ENOENT')).toBe(true);
  expect(isErrno('ENOENT', 'ENOENT')).toBe(false);
});
