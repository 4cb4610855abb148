// A file that one process at a time holds. The kernel lets go of it when that process ends, however it ends.

import { closeSync, constants, openSync, readFileSync, writeSync, ftruncateSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';
import { flockExclusive } from './libc/file.ts';

export class LockFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /**
   * Takes the lock, at once or not at all, and writes our pid into the file.
   *
   * @throws {Fault} failed_precondition — another process holds it
   */
  static async acquire(path: string): Promise<LockFile> {
    const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
    try {
      flockExclusive(fd);
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`, 0);
      return new LockFile(path, fd);
    } catch (error) {
      closeSync(fd);
      throw isErrno(error, 'EAGAIN') ? heldByAnother(path, error) : error;
    }
  }

  get path(): string {
    return this.#path;
  }

  /** Lets go. The file stays: deleting it could take a lock away that another process has taken meanwhile. */
  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

function heldByAnother(path: string, cause: unknown): Fault {
  const pid = readFileSync(path, 'utf8').trim();
  return new Fault('failed_precondition', `process "${pid}" holds "${path}"`, {
    detail: { path, pid },
    cause,
  });
}
