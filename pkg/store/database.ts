// What is written to LevelDB. A change is a value; `commit` is the one thing that touches the disk.
// After a write that failed the database is opened anew: what is appended behind a record that was written in
// part would be lost with it. A reserve of disk space sees to it that this, and removing things, work on a full disk.

import { join } from 'node:path';
import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { observed, type Observe } from '../base/outcome.ts';
import { messagesOf, openLevel, type Level } from './open-level.ts';
import { claimFormat } from './format.ts';
import { Reserve } from './reserve.ts';

/** One line of an atomic batch. */
interface Write {
  readonly type: 'put' | 'del';
  readonly key: string;
  readonly value?: string;
}

/** A change that `commit` will make. Building one has no effect. */
export interface Change {
  readonly writes: readonly Write[];
  /** Goes on beside the write; it never fails. */
  readonly beside?: () => Promise<void>;
  /** Takes back what `beside` did, if the write fails. */
  readonly undoBeside?: () => Promise<void>;
  /** Brings memory up to date, once the change is on disk. */
  readonly apply: () => void;
}

/** Between a section's name and a key; no section name contains it. */
const SEPARATOR = '!';

export interface DatabaseOptions {
  /** Is told of every write to the disk. */
  readonly observe?: Observe;
  readonly log?: Log;
  /** Of the daemon, for whoever finds that the database is too new. */
  readonly version?: string;
}

export class Database implements AsyncDisposable {
  readonly #level: Level;
  readonly #observe: Observe | undefined;
  readonly #reserve: Reserve;
  /** Whether a write has failed since the database was opened. */
  #isSuspect = false;
  #reopening: Promise<void> | undefined;

  private constructor(level: Level, reserve: Reserve, observe: Observe | undefined) {
    this.#level = level;
    this.#reserve = reserve;
    this.#observe = observe;
  }

  /**
   * Begins a new one if there is none, or none that can be repaired.
   *
   * @throws {Fault} failed_precondition — another process has it open, or a later version of davit wrote it
   */
  static async open(dir: string, { observe, log, version = '' }: DatabaseOptions = {}): Promise<Database> {
    const level = await openLevel(dir, log);
    try {
      await claimFormat(level, dir, version);
      const reserve = new Reserve(join(dir, 'reserve'));
      await reserve.ensure();
      return new Database(level, reserve, observe);
    } catch (error) {
      await level.close();
      throw error;
    }
  }

  /**
   * All of `changes` or none, and on disk when it returns: LevelDB has called fsync.
   *
   * @throws {Fault} resource_exhausted — the disk is full, and the reserve used up
   */
  async commit(...changes: readonly Change[]): Promise<void> {
    const writes = changes.flatMap((change) => change.writes);
    const batch = writes.map(({ type, key, value }) =>
      type === 'put' ? { type, key, value: value ?? '' } : { type: 'del' as const, key },
    );
    const beside = Promise.all(changes.map(async (change) => change.beside?.()));
    try {
      if (batch.length > 0)
        await observed(this.#observe, () => this.#write((level) => level.batch(batch, { sync: true })));
      await beside;
    } catch (error) {
      await beside;
      await Promise.all(changes.map(async (change) => change.undoBeside?.()));
      throw error;
    }
    for (const change of changes) change.apply();
  }

  put(section: string, key: string, json: unknown): Change {
    return toChange({ type: 'put', key: section + SEPARATOR + key, value: JSON.stringify(json) });
  }

  del(section: string, key: string): Change {
    return toChange({ type: 'del', key: section + SEPARATOR + key });
  }

  /** Key and text of every record in the section, in the order of the keys. */
  async entries(section: string): Promise<[key: string, text: string][]> {
    const from = section + SEPARATOR;
    const entries = await this.#level.iterator({ gte: from, lt: `${from}\uffff` }).all();
    return entries.map(([key, text]) => [key.slice(from.length), text]);
  }

  async #write(write: (level: Level) => Promise<void>): Promise<void> {
    try {
      await this.#reopenIfSuspect();
      await write(this.#level);
    } catch {
      this.#isSuspect = true;
      await this.#writeAnew(write);
    }
    await this.#reserve.ensure();
  }

  /** The same once more, to a database that is known to be whole. */
  async #writeAnew(write: (level: Level) => Promise<void>): Promise<void> {
    try {
      await this.#reopenIfSuspect();
      await write(this.#level);
    } catch (cause) {
      this.#isSuspect = true;
      const isFull = messagesOf(cause).includes('No space left on device');
      const code = isFull ? 'resource_exhausted' : 'internal';
      throw new Fault(code, `cannot write to the database${isFull ? ': the disk is full' : ''}`, { cause });
    }
  }

  /** Writes that come meanwhile wait for it. */
  async #reopenIfSuspect(): Promise<void> {
    if (!this.#isSuspect) return;
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
    await this.#reopening;
  }

  async #reopen(): Promise<void> {
    await this.#level.close();
    await this.#reserve.release();
    await this.#level.open();
    this.#isSuspect = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#level.close();
  }
}

function toChange(write: Write): Change {
  return { writes: [write], apply: () => undefined };
}
