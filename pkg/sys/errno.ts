// The error of a system call that failed, in the shape of Node's own, so that callers need only one check.

import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

export class ErrnoError extends Error {
  override readonly name = 'ErrnoError';
  /** `ENOENT` and the like. */
  readonly code: string;
  /** Negative, as Node has it. */
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;

  /** @param errno positive, as libc has it */
  constructor(errno: number, syscall: string, path?: string) {
    const { code, text } = describeErrno(errno);
    super(`${code}: ${text}, ${syscall}${path === undefined ? '' : ` "${path}"`}`);
    this.code = code;
    this.errno = -errno;
    this.syscall = syscall;
    this.path = path;
  }
}

/** Whether `error`, from libc or from Node, has one of these codes: `isErrno(error, 'ENOENT')`. */
export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** The name and the text of an error number: 2 is `ENOENT`, `no such file or directory`. */
export function describeErrno(errno: number): { code: string; text: string } {
  const known = getSystemErrorMap().get(-errno);
  if (known !== undefined) return { code: known[0], text: known[1] };
  const code = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0];
  return { code: code ?? `E${errno}`, text: `system error ${errno}` };
}
