// Directories of layers that no record knows: what a crash left, what was collected, what has been fetched again.
// They are moved aside at once and deleted later; one that a running container stands on waits until that is gone.

import { randomBytes } from 'node:crypto';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../base/call.ts';
import { isErrno } from '../sys/errno.ts';
import { removeTree } from '../sys/files.ts';
import type { LayerPlaces } from './layer-places.ts';

export class LayerLeftovers {
  readonly #places: LayerPlaces;
  readonly #ingestDir: string;
  readonly #log: Log;
  /** Still mounted when they were last looked at. */
  readonly #mounted = new Set<string>();

  constructor(places: LayerPlaces, ingestDir: string, log: Log) {
    this.#places = places;
    this.#ingestDir = ingestDir;
    this.#log = log;
  }

  /** At start: whatever is not known, and what was being brought in. @param known names of layers */
  async setAside(known: ReadonlySet<string>): Promise<void> {
    const leftovers = [...(await this.#places.directories())].filter((name) => !known.has(name));
    for (const name of leftovers) this.#mounted.add(name);
    await this.release();
    for (const name of await this.#places.inventories()) {
      if (!known.has(name)) await rm(this.#places.inventory(name));
    }
    for (const name of await readdir(this.#ingestDir)) {
      if (name.startsWith(REMOVED)) continue;
      await rename(join(this.#ingestDir, name), this.#asidePath(name));
    }
    const removed = leftovers.length - this.#mounted.size;
    if (removed > 0) this.#log.info({ layers: removed }, 'unfinished layers removed');
  }

  /** The layer has no record any more. */
  async moveAside(name: string): Promise<void> {
    await rename(this.#places.layer(name), this.#asidePath(name)).catch(ignoreMissing);
    await rm(this.#places.inventory(name), { force: true });
  }

  /** As `moveAside()`, but of one that containers may be running on. */
  async retire(name: string): Promise<void> {
    this.#mounted.add(name);
    await this.release();
  }

  /** Moves aside what nobody stands on any more. @returns whether there was something */
  async release(): Promise<boolean> {
    const names = [...this.#mounted];
    const mounted = await this.#places.mounted(names);
    const free = names.filter((name) => !mounted.has(name));
    for (const name of free) {
      await this.moveAside(name);
      this.#mounted.delete(name);
    }
    return free.length > 0;
  }

  /** Deletes what was moved aside. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#ingestDir)) {
      if (name.startsWith(REMOVED)) await this.#delete(join(this.#ingestDir, name));
    }
  }

  /** Deletes a layer that was never finished. */
  async discard(name: string): Promise<void> {
    await this.#delete(this.#places.layer(name));
    await rm(this.#places.inventory(name), { force: true });
  }

  async #delete(path: string): Promise<void> {
    try {
      await removeTree(path);
    } catch (err) {
      this.#log.warn({ path, err }, 'layer not deleted'); // the next start does it
    }
  }

  #asidePath(name: string): string {
    return join(this.#ingestDir, `${REMOVED}${name}-${randomBytes(6).toString('hex')}`);
  }
}

const REMOVED = 'removed-';

/** One that was lost can be forgotten. */
function ignoreMissing(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error;
}
