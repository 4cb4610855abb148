// Files that others put into a few folders, read into a value that is read again whenever the folders change. The
// kernel tells of most changes; a folder that is not there yet is looked for when somebody asks.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';
import { watchDirectory } from './watch.ts';

export interface WatchedFoldersOptions<T> {
  readonly folders: readonly string[];
  /** Reads them all; what cannot be read is for the value to tell, not to throw. */
  readonly read: () => Promise<T>;
  /** Told of each new value, the first one too. */
  readonly onChange: (value: T) => void;
  readonly log: Log;
}

export class WatchedFolders<T> implements AsyncDisposable {
  readonly #options: WatchedFoldersOptions<T>;
  readonly #watches = new Map<string, Disposable>();
  #current: T;
  #fingerprint: string;
  #reading: Promise<void> = Promise.resolve();
  /** A reading that has not begun: whoever wants one joins it. */
  #next: Promise<void> | undefined;
  #closed = false;

  private constructor(options: WatchedFoldersOptions<T>, first: T, fingerprint: string) {
    this.#options = options;
    this.#current = first;
    this.#fingerprint = fingerprint;
  }

  static async open<T>(options: WatchedFoldersOptions<T>): Promise<WatchedFolders<T>> {
    const fingerprint = await fingerprintOf(options.folders);
    const folders = new WatchedFolders(options, await options.read(), fingerprint);
    options.onChange(folders.#current);
    folders.#arm();
    await folders.refresh(); // of what changed between reading and watching
    return folders;
  }

  /** From memory. */
  get current(): T {
    return this.#current;
  }

  /** Reads the folders again if they look different from when they were read, as they are after this was called. */
  refresh(): Promise<void> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      this.#reading = this.#readIfChanged();
      return this.#reading;
    });
    return this.#next;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    await this.#next;
    await this.#reading;
  }

  async #readIfChanged(): Promise<void> {
    if (this.#closed) return;
    this.#arm();
    const { folders, read, onChange } = this.#options;
    const fingerprint = await fingerprintOf(folders); // before reading: a change in between is then seen next time
    if (fingerprint === this.#fingerprint) return;
    this.#fingerprint = fingerprint;
    this.#current = await read();
    onChange(this.#current);
  }

  #arm(): void {
    for (const folder of this.#options.folders) {
      if (!this.#watches.has(folder)) this.#watch(folder);
    }
  }

  #watch(folder: string): void {
    const { log } = this.#options;
    const changed = () => {
      this.refresh().catch((err: unknown) => {
        log.warn({ folder, err }, 'folder cannot be read again');
      });
    };
    try {
      const watch = watchDirectory(folder, changed, (err) => {
        log.debug({ folder, err }, 'folder is no longer watched');
        this.#watches.delete(folder);
      });
      this.#watches.set(folder, watch);
    } catch (err) {
      log.debug({ folder, err }, 'folder cannot be watched yet');
    }
  }
}

/** A text that changes when a file in one of the folders does. */
async function fingerprintOf(folders: readonly string[]): Promise<string> {
  const marks = folders.map(async (folder) => {
    const names = await readdir(folder).catch(() => []);
    return await Promise.all(names.sort().map((name) => markOf(join(folder, name))));
  });
  return JSON.stringify(await Promise.all(marks));
}

async function markOf(path: string): Promise<string> {
  const stats = await stat(path, { bigint: true }).catch(() => undefined);
  if (stats === undefined) return path;
  return `${path} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}

/** A larger file is none of ours. */
const MAX_FILE_BYTES = 1024 * 1024;

/** The names in a folder that end so, sorted by their bytes; one that is missing has none. */
export async function listFiles(folder: string, endings: readonly string[]): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => endings.some((ending) => name.endsWith(ending))).sort();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** @throws {Fault} invalid_argument — it is a pipe, which would never end, or too large; or as readFile() does */
export async function readSmallFile(path: string): Promise<string> {
  const stats = await stat(path);
  if (!stats.isFile()) throw new Fault('invalid_argument', 'it is not a regular file');
  if (stats.size > MAX_FILE_BYTES) throw new Fault('invalid_argument', 'it is larger than 1 MiB');
  return await readFile(path, 'utf8');
}
