// The network configurations as they are now: read at the start, and again whenever the directory changes.
// The kernel tells of most changes; what it cannot tell of (a directory that appears later, a filesystem
// without such news) is found by `poll()`.

import type { Log } from '../base/call.ts';
import { watchDirectory } from '../sys/watch.ts';
import { fingerprint, readConfigDirectory, type ConfigDirectory } from './config-directory.ts';

export interface ConfigSourceOptions {
  readonly dir: string;
  readonly log: Log;
  /** Called after `current` has become another one. */
  readonly onChange: () => void;
}

export class ConfigSource implements AsyncDisposable {
  readonly #options: ConfigSourceOptions;
  #current: ConfigDirectory = { lists: [], problems: [] };
  #fingerprint = '';
  #watch: Disposable | undefined;
  #reading: Promise<void> = Promise.resolve();
  /** A reading that has not begun: whoever wants one joins it. */
  #next: Promise<void> | undefined;

  private constructor(options: ConfigSourceOptions) {
    this.#options = options;
  }

  static async open(options: ConfigSourceOptions): Promise<ConfigSource> {
    const source = new ConfigSource(options);
    source.#arm(); // first, so that no change is missed between reading and watching
    await source.refresh();
    return source;
  }

  get current(): ConfigDirectory {
    return this.#current;
  }

  /** Reads the directory, as it is after this was called. */
  refresh(): Promise<void> {
    this.#next ??= this.#reading.then(() => {
      this.#next = undefined;
      this.#reading = this.#read();
      return this.#reading;
    });
    return this.#next;
  }

  /** Reads the directory if it looks different, and watches it again if that had come to an end. */
  async poll(): Promise<void> {
    this.#arm();
    if ((await fingerprint(this.#options.dir)) !== this.#fingerprint) await this.refresh();
  }

  async #read(): Promise<void> {
    const { dir, onChange } = this.#options;
    this.#fingerprint = await fingerprint(dir); // before reading: a change in between is then seen by poll()
    const found = await readConfigDirectory(dir);
    if (JSON.stringify(found) === JSON.stringify(this.#current)) return;
    this.#current = found;
    onChange();
  }

  #arm(): void {
    if (this.#watch !== undefined) return;
    const { dir, log } = this.#options;
    try {
      this.#watch = watchDirectory(
        dir,
        () => void this.refresh(), // never rejects: what cannot be read becomes a problem in `current`
        (err) => {
          log.warn({ dir, err }, 'network configuration is no longer watched, only polled');
          this.#disarm();
        },
      );
    } catch (err) {
      log.debug({ dir, err }, 'network configuration cannot be watched, only polled');
    }
  }

  #disarm(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disarm();
    await this.#next;
    await this.#reading;
  }
}
