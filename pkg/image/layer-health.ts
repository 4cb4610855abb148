// Whether the layers are still what was unpacked. One that is not is marked in its record, and no container is made
// from it any more until it has been fetched again. Layers that a machine wrote before it went down without notice
// are in doubt: they are looked at before they are used, and read through in the background.

import { Semaphore } from '../async/semaphore.ts';
import { SingleFlight } from '../async/single-flight.ts';
import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { KeyedLock } from '../async/keyed-lock.ts';
import type { Database } from '../store/database.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { Digest } from './digest.ts';
import type { Image } from './image.ts';
import type { Layer } from './layer.ts';
import type { LayerPlaces } from './layer-places.ts';
import type { Depth, Findings } from './unpack/inventory-check.ts';
import { verifyLayer } from './verify-thread.ts';

/** In which boot of the machine this is, and how the one before ended. */
export interface BootHistory {
  readonly id: string;
  /** The last one, if the daemon was stopped in it before the machine was: then everything reached the disk. */
  readonly endedWell: string | undefined;
}

export interface LayerHealthOptions {
  readonly db: Database;
  readonly records: RecordStore<Digest, Layer>;
  readonly places: LayerPlaces;
  /** Held for a change of a record. */
  readonly locks: KeyedLock<Digest>;
  readonly boot: BootHistory;
  readonly log: Log;
}

/** `unknown`: it was unpacked by a version that wrote no inventory. */
export type Health = 'intact' | 'damaged' | 'unknown';

export interface LayerReport {
  readonly health: Health;
  readonly findings: Findings;
}

export class LayerHealth {
  readonly #options: LayerHealthOptions;
  readonly #flights = new SingleFlight<string, LayerReport>();
  /** Reading whole layers is bounded by the disk: side by side they are no faster. */
  readonly #reading = new Semaphore(1);
  /** In doubt, and looked at since. */
  readonly #seen = new Set<Digest>();
  #onDamage: () => void = () => undefined;

  private constructor(options: LayerHealthOptions) {
    this.#options = options;
  }

  /** Marks what is plainly missing, and takes out of doubt what an orderly shutdown has written out. */
  static async open(options: LayerHealthOptions): Promise<LayerHealth> {
    const health = new LayerHealth(options);
    const { db, records, places, boot, log } = options;
    const there = await places.directories();
    const changed = records.list().flatMap((layer) => {
      const isProven = layer.unprovenSince !== undefined && layer.unprovenSince === boot.endedWell;
      const isLost = layer.damage === undefined && !there.has(layer.directory);
      if (isLost) log.error({ layer: layer.id }, 'directory of layer is missing');
      if (!isProven && !isLost) return [];
      return [
        { ...layer, ...(isProven && { unprovenSince: undefined }), ...(isLost && { damage: MISSING }) },
      ];
    });
    await db.commit(...changed.map((layer) => records.putting(layer)));
    return health;
  }

  /** @param listener told that a layer has been found damaged; a second replaces the first */
  onDamage(listener: () => void): void {
    this.#onDamage = listener;
  }

  /** Whether the layer is here and nothing is known against it. */
  isWhole(id: Digest): boolean {
    const layer = this.#options.records.find(id);
    return layer !== undefined && layer.damage === undefined;
  }

  /** What is known against it; `undefined` for nothing. */
  damageOf(id: Digest): string | undefined {
    return this.#options.records.find(id)?.damage;
  }

  /** Marks those whose directory somebody has removed. */
  async noteMissing(ids: readonly Digest[]): Promise<void> {
    const { records, places } = this.#options;
    for (const layer of ids.map((id) => records.find(id))) {
      if (layer === undefined || layer.damage !== undefined) continue;
      if (await places.hasLayer(layer.directory)) continue;
      await this.#mark(layer, (before) => ({ ...before, damage: MISSING }));
    }
  }

  /**
   * Looks whether the layers of the image are there, and at the shape of those that are in doubt.
   *
   * @throws {Fault} failed_precondition — one is damaged
   */
  async expectUsable(image: Pick<Image, 'id' | 'chainIds'>, signal: AbortSignal): Promise<void> {
    await this.noteMissing(image.chainIds);
    await Promise.all(image.chainIds.map((id) => this.#lookBeforeUse(id, signal)));
    for (const id of image.chainIds) {
      const damage = this.damageOf(id);
      if (damage === undefined) continue;
      const message = `cannot use image "${image.id}": its layer "${id}" is damaged, ${damage}; pull the image again`;
      throw new Fault('failed_precondition', message, { detail: { layer: id } });
    }
  }

  async #lookBeforeUse(id: Digest, signal: AbortSignal): Promise<void> {
    const layer = this.#options.records.find(id);
    if (layer === undefined || !this.#isInDoubt(layer) || this.#seen.has(id)) return;
    const { health } = await this.verify(id, 'shape', signal);
    if (health === 'intact') this.#seen.add(id);
  }

  /** Reads through the layers in doubt, one after the other. */
  async proveAll(signal: AbortSignal): Promise<void> {
    const { records, log } = this.#options;
    const inDoubt = records.list().filter((layer) => this.#isInDoubt(layer));
    if (inDoubt.length > 0)
      log.info({ layers: inDoubt.length }, 'verifying layers after an unclean shutdown');
    for (const { id } of inDoubt) {
      try {
        await this.verify(id, 'content', signal);
      } catch (err) {
        if (signal.aborted) return;
        log.warn({ layer: id, err }, 'layer not verified'); // it stays in doubt until the next start
      }
    }
    if (inDoubt.length > 0) log.info({ layers: inDoubt.length }, 'layers verified');
  }

  /**
   * Compares the layer with its inventory, and notes what comes out of it.
   *
   * @throws {Fault} not_found; internal — it could not be looked at
   */
  async verify(id: Digest, depth: Depth, signal: AbortSignal): Promise<LayerReport> {
    return await this.#flights.do(`${depth} ${id}`, signal, (shared) => this.#verify(id, depth, shared));
  }

  async #verify(id: Digest, depth: Depth, signal: AbortSignal): Promise<LayerReport> {
    using _turn = depth === 'content' ? await this.#reading.acquire(signal) : undefined;
    const layer = this.#options.records.get(id);
    const { directory, inventory } = layer;
    const { places } = this.#options;
    if (inventory === undefined) return { health: 'unknown', findings: NOTHING_FOUND };
    const files = { directory: places.layer(directory), inventory: places.inventory(directory) };
    const findings = await verifyLayer({ ...files, digest: inventory, depth }, signal);
    await this.#mark(layer, (before) => judge(before, depth, findings));
    return { health: findings.problemCount > 0 ? 'damaged' : 'intact', findings };
  }

  /** @param judge what is known of the layer now */
  async #mark({ id, directory }: Layer, judge: (before: Layer) => Layer): Promise<void> {
    const { records, locks, log } = this.#options;
    using _guard = await locks.acquire(id, NEVER);
    const before = records.find(id);
    if (before?.directory !== directory) return; // removed or fetched again meanwhile
    const after = judge(before);
    if (after.damage === before.damage && after.unprovenSince === before.unprovenSince) return;
    await records.put(after);
    if (after.damage === undefined) return;
    log.error({ layer: id, damage: after.damage }, 'layer is damaged');
    this.#onDamage();
  }

  #isInDoubt({ unprovenSince, inventory, damage }: Layer): boolean {
    const isOld = unprovenSince !== undefined && unprovenSince !== this.#options.boot.id;
    return isOld && inventory !== undefined && damage === undefined;
  }
}

/** What is known of the layer now. A glance cannot clear it: what it does not see may still be there. */
function judge(layer: Layer, depth: Depth, { problems: [first] }: Findings): Layer {
  if (first !== undefined) return { ...layer, damage: `${JSON.stringify(first.path)}: ${first.what}` };
  return depth === 'shape' ? layer : { ...layer, damage: undefined, unprovenSince: undefined };
}

const MISSING = 'its directory is missing';
const NOTHING_FOUND: Findings = { files: 0, bytes: 0, problemCount: 0, problems: [] };
const NEVER = new AbortController().signal;
