// Archives of images in a folder: each is imported once it is complete, and again when it has changed. For nodes
// that reach no registry.

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { timeOfDayMs } from '../base/clock.ts';
import type { Call, Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ImageId } from '../base/id.ts';
import type { Database } from '../store/database.ts';
import { RecordStore } from '../store/record-store.ts';
import { isErrno } from '../sys/errno.ts';
import { ensureDirectory } from '../sys/files.ts';
import { watchDirectory } from '../sys/watch.ts';
import type { Image } from './image.ts';
import { preloadedCodec, type PreloadedFile } from './preloaded-file.ts';

export interface PreloadedOptions {
  readonly db: Database;
  readonly dir: string;
  readonly images: {
    load(call: Call, path: string): Promise<Image[]>;
    /** Whether it is here and cannot be used. */
    isDamaged(id: ImageId): boolean;
  };
  readonly log: Log;
  /** A file that has not changed for so long is complete. */
  readonly stableMs?: number;
}

/** One that could not be imported, as it is now. */
export interface PreloadFailure {
  readonly file: string;
  readonly message: string;
}

type Version = Pick<PreloadedFile, 'sizeBytes' | 'mtimeNs'>;

const ARCHIVE = /^[^.].*\.tar(\.gz|\.zst)?$/;
const STABLE_MS = 2000;

export class PreloadedImages implements AsyncDisposable {
  readonly #options: PreloadedOptions;
  readonly #records: RecordStore<string, PreloadedFile>;
  readonly #failures = new Map<string, Version & { readonly message: string }>();
  /** Names to look at, each once. */
  readonly #pending = new Set<string>();
  readonly #stopping = new AbortController();
  #watch: Disposable | undefined;
  #working: Promise<void> | undefined;

  private constructor(options: PreloadedOptions, records: RecordStore<string, PreloadedFile>) {
    this.#options = options;
    this.#records = records;
  }

  /** Nothing is imported before `start()`. */
  static async open(options: PreloadedOptions): Promise<PreloadedImages> {
    const { db, dir, log } = options;
    await ensureDirectory(dir, 0o700);
    const store = { kind: 'preloaded', codec: preloadedCodec, log };
    return new PreloadedImages(options, await RecordStore.load<string, PreloadedFile>(db, store));
  }

  /** Imports in the background what is there, and from now on what comes. */
  async start(): Promise<void> {
    const { dir } = this.#options;
    this.#watch = this.#arm(); // first watch, then read
    for (const name of [...(await readdir(dir)), ...this.#records.list().map(({ id }) => id)])
      this.#look(name);
  }

  /** An image has been found damaged: perhaps it came from here. */
  lookAgain(): void {
    for (const { id } of this.#records.list()) this.#look(id);
  }

  /** What was in their way may be gone: the policy has changed. */
  retryFailed(): void {
    const names = [...this.#failures.keys()];
    this.#failures.clear();
    for (const name of names) this.#look(name);
  }

  /** Those that were imported, in the order of their names. */
  list(): PreloadedFile[] {
    return this.#records.list().sort((a, b) => a.id.localeCompare(b.id));
  }

  failures(): PreloadFailure[] {
    return [...this.#failures].map(([file, { message }]) => ({ file, message }));
  }

  /** Resolves when nothing is left to import. */
  async settle(): Promise<void> {
    await this.#working;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    this.#stopping.abort();
    await this.settle();
  }

  /** Without it the next start of the daemon imports what has come. */
  #arm(): Disposable | undefined {
    const { dir, log } = this.#options;
    const fail = (err: unknown) => {
      log.error({ dir, err }, 'preloaded images are not watched');
    };
    try {
      return watchDirectory(
        dir,
        (name) => {
          this.#look(name);
        },
        fail,
      );
    } catch (error) {
      fail(error);
      return undefined;
    }
  }

  #look(name: string): void {
    if (!ARCHIVE.test(name) || this.#stopping.signal.aborted) return;
    this.#pending.add(name);
    this.#working ??= this.#work();
  }

  /** One after the other: there is no hurry, and pulls go on beside it. Never rejects. */
  async #work(): Promise<void> {
    for (const name of this.#pending) {
      if (this.#stopping.signal.aborted) break;
      this.#pending.delete(name); // a change from now on is seen by another look
      await this.#check(name);
    }
    this.#working = undefined;
  }

  async #check(name: string): Promise<void> {
    let version: Version | undefined;
    try {
      version = await this.#whenStable(name);
      if (version === undefined) await this.#forget(name);
      else if (!this.#isImported(name, version) && !isSame(version, this.#failures.get(name)))
        await this.#import(name, version);
    } catch (err) {
      if (this.#stopping.signal.aborted) return;
      const { message } = Fault.from(err);
      this.#failures.set(name, { sizeBytes: -1, mtimeNs: '', ...version, message });
      this.#options.log.error({ file: name, err }, 'preloaded images not imported');
    }
  }

  /** And its images, if they have not been removed since, are whole. */
  #isImported(name: string, version: Version): boolean {
    const record = this.#records.find(name);
    const isDamaged = record?.imageIds.some((id) => this.#options.images.isDamaged(id)) === true;
    return isSame(version, record) && !isDamaged;
  }

  async #import(name: string, version: Version): Promise<void> {
    const { images, dir, log } = this.#options;
    const loaded = await images.load({ signal: this.#stopping.signal, log }, join(dir, name));
    const imageIds = loaded.map(({ id }) => id);
    await this.#records.put({ id: name, ...version, imageIds });
    this.#failures.delete(name);
    log.info({ file: name, images: imageIds.length }, 'preloaded images imported');
  }

  /** One that comes back is imported again, whatever its age. */
  async #forget(name: string): Promise<void> {
    this.#failures.delete(name);
    if (this.#records.find(name) !== undefined) await this.#records.remove(name);
  }

  /** The file as it is once nobody writes to it any more; `undefined` when it is gone or is no file. */
  async #whenStable(name: string): Promise<Version | undefined> {
    const { dir, stableMs = STABLE_MS } = this.#options;
    let before: Version | undefined;
    for (;;) {
      const now = await versionOf(join(dir, name));
      if (now === undefined || isSame(now, before)) return now;
      const ageMs = timeOfDayMs() - Number(BigInt(now.mtimeNs) / 1_000_000n);
      if (ageMs >= stableMs) return now; // such as one that was moved here
      before = now;
      await delay(stableMs, undefined, { signal: this.#stopping.signal });
    }
  }
}

function isSame(a: Version, b: Version | undefined): boolean {
  return a.sizeBytes === b?.sizeBytes && a.mtimeNs === b.mtimeNs;
}

async function versionOf(path: string): Promise<Version | undefined> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isFile()) return undefined;
    return { sizeBytes: Number(found.size), mtimeNs: String(found.mtimeNs) };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
