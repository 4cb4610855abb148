// The only file that knows LevelDB. A change is a value; `commit` is the one thing that touches the disk.
// After a write that failed the database is opened anew: what is appended behind a record that was written in
// part would be lost with it. A reserve of disk space sees to it that this, and removing things, work on a full disk.

import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { Fault } from '../base/fault.ts';
import { ensureDirectory } from '../sys/files.ts';
import { isErrno } from '../sys/errno.ts';
import { syncFs } from '../sys/files.ts';
import { Reserve } from './reserve.ts';
import { observed, type Observe } from '../base/outcome.ts';

/** One line of an atomic batch. */
interface Write {
  readonly type: 'put' | 'del';
  readonly key: string;
  readonly value?: string;
}

/** A change that `commit` will make. Building one has no effect. */
export interface Change {
  readonly writes: readonly Write[];
  /** Brings memory up to date, once the change is on disk. */
  readonly apply: () => void;
}

/** Between a section's name and a key; no section name contains it. */
const SEPARATOR = '!';

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
   * @param observe is told of every write to the disk
   * @throws {Fault} failed_precondition — another process has it open
   */
  static async open(dir: string, observe?: Observe): Promise<Database> {
    await ensureDirectory(dir, 0o700);
    await ensureExists(dir);
    const level = new Level(dir, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
    try {
      await level.open();
    } catch (cause) {
      if (codeOf((cause as Error).cause) !== 'LEVEL_LOCKED') throw cause;
      throw new Fault('failed_precondition', `another process uses "${dir}"`, { detail: { dir }, cause });
    }
    const reserve = new Reserve(join(dir, 'reserve'));
    await reserve.ensure();
    return new Database(level, reserve, observe);
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
    const options = { sync: true }; // an option of classic-level that the types of level leave out
    if (batch.length > 0)
      await observed(this.#observe, () => this.#write((level) => level.batch(batch, options)));
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

/**
 * LevelDB does not write out what a new database begins with: if the power fails then, it cannot be opened ever
 * again. So a new one is made beside its place, and moved there when it is on disk.
 */
async function ensureExists(dir: string): Promise<void> {
  if ((await namesIn(dir)).length > 0) return;
  const unfinished = `${dir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  const level = new Level(unfinished);
  await level.open();
  await level.close();
  await syncFs(unfinished);
  await rename(unfinished, dir);
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

function toChange(write: Write): Change {
  return { writes: [write], apply: () => undefined };
}

/** Of an error and its causes: LevelDB's own words stand in the innermost. */
function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messagesOf(error.cause)}` : '';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
