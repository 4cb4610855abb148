// Tells which names in a directory change, also after the directory was deleted and made again. The kernel may
// merge changes: a name means "look again", nothing more.

import { type FSWatcher, readdirSync, watch, type WatchEventType } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isErrno } from './errno.ts';

/**
 * Calls `onName` with the name of every entry that appears, changes or goes, from now on. What was there
 * before is not reported: watch first, then read. When the directory is replaced, each entry of the new one is
 * reported.
 *
 * @param path absolute; neither it nor the directory above may be missing now
 * @param onError what ended the watching, such as that the directory above is gone
 * @throws {Error} ENOENT — the directory is missing
 */
export function watchDirectory(
  path: string,
  onName: (name: string) => void,
  onError: (error: unknown) => void,
): Disposable {
  return new DirectoryWatch(path, onName, onError);
}

class DirectoryWatch implements Disposable {
  readonly #path: string;
  readonly #onName: (name: string) => void;
  readonly #onError: (error: unknown) => void;
  readonly #parent: FSWatcher;
  /** Absent while the directory is. */
  #own: FSWatcher | undefined;
  #closed = false;

  constructor(path: string, onName: (name: string) => void, onError: (error: unknown) => void) {
    this.#path = path;
    this.#onName = onName;
    this.#onError = onError;
    this.#parent = this.#watch(dirname(path), (event, name) => {
      if (event === 'rename' && name === basename(path)) this.#rearm(); // it came, went or was replaced
    });
    try {
      this.#own = this.#arm();
    } catch (error) {
      this.#parent.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#parent.close();
    this.#own?.close();
  }

  #arm(): FSWatcher {
    return this.#watch(this.#path, (_event, name) => {
      if (name !== null) this.#onName(name);
    });
  }

  #watch(path: string, onChange: (event: WatchEventType, name: string | null) => void): FSWatcher {
    const watcher = watch(path, onChange);
    watcher.on('error', (error) => {
      this.#fail(error);
    });
    return watcher;
  }

  #rearm(): void {
    if (this.#closed) return;
    this.#own?.close();
    this.#own = undefined;
    try {
      this.#own = this.#arm();
      for (const name of readdirSync(this.#path)) this.#onName(name);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) this.#fail(error); // gone for now: the directory above will tell
    }
  }

  #fail(error: unknown): void {
    this[Symbol.dispose]();
    this.#onError(error);
  }
}
