// A second place for the records of one kind: a file for each, in a directory of their own. The database is what
// counts; copies are for when it is lost. They are not synced: one that a power cut has spoilt is not used.

import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../base/call.ts';
import { isErrno } from '../sys/errno.ts';
import { ensureDirectory } from '../sys/files.ts';

const SUFFIX = '.json';
const RETRY_MS = 1_000;

export class RecordCopies {
  readonly #dir: string;
  readonly #log: Log;
  /** A disk that is full is told of once, until it is not. */
  #isFailing = false;
  /** What could not be removed: it would come back with the next daemon. */
  readonly #leftOver = new Set<string>();

  private constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
  }

  /** @param dir holds nothing else */
  static async open(dir: string, log: Log): Promise<RecordCopies> {
    await ensureDirectory(dir, 0o700);
    return new RecordCopies(dir, log);
  }

  /** Text of each, by key; one that cannot be read is left out. */
  async readAll(): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    for (const name of await readdir(this.#dir)) {
      const path = join(this.#dir, name);
      try {
        if (name.endsWith(SUFFIX))
          texts.set(decodeURIComponent(name.slice(0, -SUFFIX.length)), await readFile(path, 'utf8'));
        else await rm(path, { recursive: true }); // was being written when a daemon died
      } catch (err) {
        this.#log.warn({ path, err }, 'copy of record cannot be read');
      }
    }
    return texts;
  }

  /** Never fails: a copy that cannot be written is told of, and the old one must not be taken for the new. */
  async put(key: string, text: string): Promise<void> {
    try {
      await this.#write(key, text).catch(async (error: unknown) => {
        if (!isErrno(error, 'ENOENT')) throw error;
        await ensureDirectory(this.#dir, 0o700); // somebody has removed it
        await this.#write(key, text);
      });
      this.#isFailing = false;
    } catch (err) {
      if (!this.#isFailing) this.#log.warn({ dir: this.#dir, err }, 'copies of records cannot be written');
      this.#isFailing = true;
      await this.#rm(unfinished(this.#path(key)));
      await this.remove(key);
    }
  }

  /** Never fails. */
  async remove(key: string): Promise<void> {
    await this.#rm(this.#path(key));
  }

  /** Tried again until it is gone or written anew. */
  async #rm(path: string): Promise<void> {
    try {
      await rm(path, { force: true });
      this.#leftOver.delete(path);
    } catch (err) {
      if (!this.#leftOver.has(path)) this.#log.warn({ path, err }, 'copy of record cannot be removed');
      this.#leftOver.add(path);
      setTimeout(() => {
        if (this.#leftOver.has(path)) void this.#rm(path);
      }, RETRY_MS).unref();
    }
  }

  async #write(key: string, text: string): Promise<void> {
    const path = this.#path(key);
    await writeFile(unfinished(path), text, { mode: 0o600 });
    await rename(unfinished(path), path);
    this.#leftOver.delete(path);
  }

  #path(key: string): string {
    return join(this.#dir, `${encodeURIComponent(key)}${SUFFIX}`);
  }
}

function unfinished(path: string): string {
  return `${path}.new`;
}
