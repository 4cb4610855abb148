// Disk space kept for a bad day: a file that is given up when the disk is full, and made again when it is not.

import { rm, stat, writeFile } from 'node:fs/promises';
import { isErrno } from '../sys/errno.ts';

/** What opening a LevelDB anew may write: its log as a table, at most 4 MiB, and as much again. */
const RESERVE_BYTES = 8 * 1024 * 1024;

/** How often it is tried to make it again, in milliseconds. */
const RETRY_MS = 10_000;

export class Reserve {
  readonly #path: string;
  #isThere = false;
  #triedAtMs = -Infinity;

  /** @param path of the file; nothing else uses it */
  constructor(path: string) {
    this.#path = path;
  }

  /** Makes the file if there is room for it; that there is none is no failure. */
  async ensure(): Promise<void> {
    if (this.#isThere || performance.now() - this.#triedAtMs < RETRY_MS) return;
    this.#triedAtMs = performance.now();
    if ((await sizeOf(this.#path)) !== RESERVE_BYTES) {
      try {
        await writeFile(this.#path, Buffer.alloc(RESERVE_BYTES), { mode: 0o600 });
      } catch (error) {
        await this.release();
        if (isErrno(error, 'ENOSPC', 'EDQUOT')) return;
        throw error;
      }
    }
    this.#isThere = true;
  }

  /** Gives the space to whoever needs it now. May be repeated. */
  async release(): Promise<void> {
    this.#isThere = false;
    this.#triedAtMs = performance.now();
    await rm(this.#path, { force: true });
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
