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
 * @param onGone somebody has removed the directory; who makes it again is told of what appears in it
 * @throws {Error} ENOENT — the directory is missing
 */
export function watchDirectory(
  path: string,
  onName: (name: string) => void,
  onError: (error: unknown) => void,
  onGone: () => void = () => undefined,
): Disposable {
  return new DirectoryWatch(path, { onName, onError, onGone });
}

interface Listeners {
  readonly onName: (name: string) => void;
  readonly onError: (error: unknown) => void;
  readonly onGone: () => void;
}

class DirectoryWatch implements Disposable {
  readonly #path: string;
  readonly #listeners: Listeners;
  readonly #parent: FSWatcher;
  /** Absent while the directory is. */
  #own: FSWatcher | undefined;
  #closed = false;

  constructor(path: string, listeners: Listeners) {
    this.#path = path;
    this.#listeners = listeners;
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
      if (name !== null) this.#listeners.onName(name);
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
      for (const name of readdirSync(this.#path)) this.#listeners.onName(name);
    } catch (error) {
      if (isErrno(error, 'ENOENT'))
        this.#listeners.onGone(); // the directory above tells when it is back
      else this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this[Symbol.dispose]();
    this.#listeners.onError(error);
  }
}
