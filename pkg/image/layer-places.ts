// Where layers and their inventories lie, and which of them the kernel still has mounted.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDirectory, isThere } from '../sys/files.ts';
import { isMadeOf } from '../sys/mount.ts';
import { listMounts } from '../sys/mountinfo.ts';

export class LayerPlaces {
  readonly #layersDir: string;
  readonly #inventoriesDir: string;
  readonly #aliases: readonly string[];

  private constructor(root: string, aliases: readonly string[]) {
    this.#layersDir = join(root, 'layers');
    this.#inventoriesDir = join(root, 'inventories');
    this.#aliases = aliases;
  }

  /** @param aliases below which layers are mounted with ids mapped, while an overlay is being made of them */
  static async open(root: string, aliases: readonly string[]): Promise<LayerPlaces> {
    const places = new LayerPlaces(root, aliases);
    await places.ensure();
    return places;
  }

  /** Makes the directories of all layers; somebody may have removed them. */
  async ensure(): Promise<void> {
    await ensureDirectory(this.#layersDir, PRIVATE); // images contain set-user-id programs: not for users of the host
    await ensureDirectory(this.#inventoriesDir, PRIVATE);
  }

  /** @param name as in the record of a layer */
  layer(name: string): string {
    return join(this.#layersDir, name);
  }

  async hasLayer(name: string): Promise<boolean> {
    return await isThere(this.layer(name));
  }

  inventory(name: string): string {
    return join(this.#inventoriesDir, name);
  }

  async directories(): Promise<Set<string>> {
    return new Set(await readdir(this.#layersDir));
  }

  async inventories(): Promise<string[]> {
    return await readdir(this.#inventoriesDir);
  }

  /** Those of `names` that something mounted is made of: deleted, files would vanish under running containers. */
  async mounted(names: readonly string[]): Promise<Set<string>> {
    if (names.length === 0) return new Set();
    const mounts = await listMounts();
    return new Set(
      names.filter((name) => mounts.some((mount) => isMadeOf(mount, this.layer(name), this.#aliases))),
    );
  }
}

const PRIVATE = 0o700;
