// Values that are good for a moment: who asks within it gets what another has just been given, and what is being
// read already is not read twice.

import { abortable } from '../async/abortable.ts';

/** What is not there has no entry. */
export type Reading<T> = ReadonlyMap<string, T>;

interface Entry<T> {
  readonly value: Promise<T | undefined>;
  /** Absent while it is being read. */
  readAtMs?: number;
}

export interface FreshOptions<T> {
  readonly maxAgeMs: number;
  /** Reads all of these at once. */
  readonly read: (keys: readonly string[]) => Promise<Reading<T>>;
  /** Milliseconds, steadily rising. */
  readonly now: () => number;
}

export class Fresh<T> {
  readonly #options: FreshOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: FreshOptions<T>) {
    this.#options = options;
  }

  /** Whether `key` would be answered without reading. */
  has(key: string): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#isFresh(entry);
  }

  /** @throws what reading throws; the reason of `signal`, if that aborts first, while the reading goes on */
  async get(signal: AbortSignal, keys: readonly string[]): Promise<Reading<T>> {
    signal.throwIfAborted();
    this.#forgetOld();
    const missing = keys.filter((key) => !this.has(key));
    if (missing.length > 0) this.#begin([...new Set(missing)]);
    const entries = keys.map(async (key) => [key, await this.#entries.get(key)?.value] as const);
    const values = await abortable(Promise.all(entries), signal);
    const known = new Map<string, T>();
    for (const [key, value] of values) if (value !== undefined) known.set(key, value);
    return known;
  }

  #begin(keys: readonly string[]): void {
    const reading = this.#options.read(keys);
    for (const key of keys) {
      const entry: Entry<T> = { value: reading.then((values) => values.get(key)) };
      this.#entries.set(key, entry);
      entry.value.then(
        () => (entry.readAtMs = this.#options.now()),
        () => {
          if (this.#entries.get(key) === entry) this.#entries.delete(key); // who waits is told; others try again
        },
      );
    }
  }

  #isFresh({ readAtMs }: Entry<T>): boolean {
    return readAtMs === undefined || this.#options.now() - readAtMs <= this.#options.maxAgeMs;
  }

  #forgetOld(): void {
    for (const [key, entry] of this.#entries) if (!this.#isFresh(entry)) this.#entries.delete(key);
  }
}
