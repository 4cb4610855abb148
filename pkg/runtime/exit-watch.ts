// How containers ended, as their shims wrote it down: one file per container in the exit directory, named after
// its id. Exits that happened while the daemon was away are found when it opens.

import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../base/call.ts';
import { ensureDirectory } from '../sys/files.ts';
import { isErrno } from '../sys/errno.ts';
import { watchDirectory } from '../sys/watch.ts';

export interface ContainerExit {
  /** 0 to 255; 128 + n for a death by signal n; -1 if the shim does not know. */
  readonly exitCode: number;
  /** Nanoseconds since the Unix epoch. */
  readonly finishedAtNs: bigint;
}

export interface ExitWatchOptions {
  readonly dir: string;
  readonly log: Log;
  /** Told of each exit once. Exits from before are told while it opens. */
  readonly onExit: (id: string, exit: ContainerExit) => void;
}

/** conmon writes `<id>.XXXXXX` first and renames it then: a name with a dot is not yet an exit. */
const ID = /^[A-Za-z0-9][\w-]*$/;

/** No number is longer. */
const MAX_FILE_BYTES = 32;

export class ExitWatch implements Disposable {
  readonly #options: ExitWatchOptions;
  readonly #exits = new Map<string, ContainerExit>();
  #watch: Disposable | undefined;

  private constructor(options: ExitWatchOptions) {
    this.#options = options;
  }

  /** Makes the directory if missing, watches it, and then reads what is there: nothing is missed in between. */
  static async open(options: ExitWatchOptions): Promise<ExitWatch> {
    const { dir, log } = options;
    await ensureDirectory(dir, 0o700);
    const exits = new ExitWatch(options);
    exits.#watch = watchDirectory(
      dir,
      (name) => {
        exits.#look(name).catch((error: unknown) => {
          log.error({ error, id: name }, 'cannot read exit file');
        });
      },
      (error) => {
        log.error({ error, dir }, 'cannot watch exit directory');
      },
      () => {
        log.warn({ dir }, 'exit directory was removed; it is made again');
        ensureDirectory(dir, 0o700).catch((error: unknown) => {
          log.error({ error, dir }, 'cannot make exit directory');
        });
      },
    );
    await Promise.all((await readdir(dir)).map((name) => exits.#look(name)));
    return exits;
  }

  /** How the container ended, or `undefined` if its shim has not written it. */
  find(id: string): ContainerExit | undefined {
    return this.#exits.get(id);
  }

  /** Once the exit is recorded elsewhere, or the container is gone: deletes its file. */
  async forget(id: string): Promise<void> {
    this.#exits.delete(id);
    if (ID.test(id)) await rm(join(this.#options.dir, id), { force: true });
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  /** A file without a number in it is left for the change that is still to come. */
  async #look(name: string): Promise<void> {
    if (!ID.test(name)) return;
    const exit = await readExit(join(this.#options.dir, name));
    if (exit === undefined || this.#exits.get(name)?.finishedAtNs === exit.finishedAtNs) return;
    this.#exits.set(name, exit);
    this.#options.onExit(name, exit);
  }
}

/** How the container ended, from its file in `dir`; `undefined` if its shim has not written it. */
export async function findExit(dir: string, id: string): Promise<ContainerExit | undefined> {
  return ID.test(id) ? await readExit(join(dir, id)) : undefined;
}

async function readExit(path: string): Promise<ContainerExit | undefined> {
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(MAX_FILE_BYTES);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
    const text = buffer.toString('latin1', 0, bytesRead);
    if (!/^-?\d{1,9}\n?$/.test(text)) return undefined;
    const { mtimeNs } = await file.stat({ bigint: true });
    return { exitCode: Number(text), finishedAtNs: mtimeNs };
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'EISDIR')) return undefined;
    throw error;
  }
}
