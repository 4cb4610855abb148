// The layers on this node, each unpacked once. One is in the database only when all of it is verified and on
// disk; what is in the folder and not in the database is what a crash left, and goes.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FairRate } from '../async/fair-rate.ts';
import { FairSlots, type Party } from '../async/fair-slots.ts';
import { KeyedLock } from '../async/keyed-lock.ts';
import { SingleFlight } from '../async/single-flight.ts';
import type { Log } from '../base/call.ts';
import { Fault, type FaultCode } from '../base/fault.ts';
import { linkSignals } from '../base/signal.ts';
import type { Database } from '../store/database.ts';
import { RecordCopies } from '../store/record-copies.ts';
import { RecordStore } from '../store/record-store.ts';
import { ensureDirectory, syncFs } from '../sys/files.ts';
import type { BlobSource } from './blob-source.ts';
import type { Digest } from './digest.ts';
import { inheritAttributes } from './implied-directories.ts';
import { LayerActivities } from './layer-activity.ts';
import { LayerHealth, type BootHistory } from './layer-health.ts';
import { LayerLeases } from './layer-leases.ts';
import { LayerLeftovers } from './layer-leftovers.ts';
import { LayerPlaces } from './layer-places.ts';
import { layerCodec, type Layer, type WantedLayer } from './layer.ts';
import { readAhead } from './read-ahead.ts';
import { UnpackThreads } from './unpack-thread.ts';
import { DEFAULT_LIMITS, type UnpackLimits } from './unpack/limits.ts';
import type { Unpacked } from './unpack/messages.ts';

export interface LayerStoreOptions {
  readonly db: Database;
  /** Holds `layers` and `ingest`, on one filesystem. */
  readonly root: string;
  readonly concurrency: { readonly downloads: number; readonly unpacks: number };
  /** Of all that comes from registries together; 0 or absent for no limit. */
  readonly maxBytesPerSecond?: number;
  readonly limits?: UnpackLimits;
  /** Directories below which layers are mounted with ids mapped, while an overlay is being made of them. */
  readonly aliases: readonly string[];
  readonly boot: BootHistory;
  readonly log: Log;
}

/** What making one layer needs besides the layer. */
interface LayerWork {
  readonly source: BlobSource;
  /** Settles when the layers below are there. */
  readonly below: Promise<void>;
  readonly signal: AbortSignal;
}

interface Parts {
  readonly records: RecordStore<Digest, Layer>;
  readonly places: LayerPlaces;
  readonly locks: KeyedLock<Digest>;
  readonly health: LayerHealth;
  readonly ingestDir: string;
}

export class LayerStore {
  readonly #records: RecordStore<Digest, Layer>;
  readonly #places: LayerPlaces;
  readonly #leftovers: LayerLeftovers;
  readonly #ingestDir: string;
  readonly #limits: UnpackLimits;
  readonly #bootId: string;
  readonly #flights = new SingleFlight<string, void>();
  /** Work begun, until it has cleaned up after itself. */
  readonly #working = new Set<Promise<void>>();
  readonly #locks: KeyedLock<Digest>;
  readonly #unpacks: FairSlots;
  readonly #downloads: FairSlots;
  /** Absent if there is no limit. */
  readonly #rate: FairRate | undefined;
  readonly #threads = new UnpackThreads();
  readonly health: LayerHealth;
  /** For whoever looks on. */
  readonly activities = new LayerActivities();
  readonly #leases = new LayerLeases();
  #nextName = 1;

  private constructor(options: LayerStoreOptions, parts: Parts) {
    this.#records = parts.records;
    this.#places = parts.places;
    this.#locks = parts.locks;
    this.health = parts.health;
    this.#ingestDir = parts.ingestDir;
    this.#leftovers = new LayerLeftovers(parts.places, parts.ingestDir, options.log);
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#bootId = options.boot.id;
    const { concurrency, maxBytesPerSecond = 0 } = options;
    this.#unpacks = new FairSlots(concurrency.unpacks);
    this.#downloads = new FairSlots(concurrency.downloads);
    this.#rate = maxBytesPerSecond > 0 ? new FairRate(maxBytesPerSecond) : undefined;
  }

  /** What a crash left is moved aside here; `sweep()` deletes it. */
  static async open(options: LayerStoreOptions): Promise<LayerStore> {
    const { db, root, boot, log } = options;
    const copies = await RecordCopies.open(join(root, 'records', 'layer'), log);
    const stored = { kind: 'layer', codec: layerCodec, log, copies };
    const records = await RecordStore.load<Digest, Layer>(db, stored);
    const places = await LayerPlaces.open(root, options.aliases);
    const ingestDir = join(root, 'ingest');
    const locks = new KeyedLock<Digest>();
    const health = await LayerHealth.open({ db, records, places, locks, boot, log });
    const store = new LayerStore(options, { records, places, locks, health, ingestDir });
    const known = records.list().map(({ directory }) => directory);
    await store.ensureIngestDir();
    await store.#leftovers.setAside(new Set(known));
    const taken = [...known, ...(await places.directories())].map((name) =>
      Number.parseInt(name, NAME_RADIX),
    );
    store.#nextName = Math.max(0, ...taken.filter(Number.isFinite)) + 1;
    return store;
  }

  find(chainId: Digest): Layer | undefined {
    return this.#records.find(chainId);
  }

  list(): Layer[] {
    return this.#records.list();
  }

  /** @throws {Fault} not_found */
  pathOf(chainId: Digest): string {
    return this.#places.layer(this.#records.get(chainId).directory);
  }

  /** For files that are needed while something is brought in; emptied at start. */
  async ensureIngestDir(): Promise<string> {
    await ensureDirectory(this.#ingestDir, 0o700);
    return this.#ingestDir;
  }

  /** Keeps the layers, also those that are yet to come, for the party until the result is disposed. */
  lease(chainIds: readonly Digest[], party: Party): Disposable {
    const lease = this.#leases.hold(chainIds, party);
    this.#downloads.reconsider();
    this.#unpacks.reconsider();
    return lease;
  }

  /**
   * Fetches and unpacks those that are missing or damaged, side by side; each once, however many ask. The caller
   * holds a lease on them.
   *
   * @param layers of one image, the lowest first
   * @throws {Fault} data_loss — naming the digest that is wrong; resource_exhausted; what `source` throws
   */
  async ensure(layers: readonly WantedLayer[], source: BlobSource, signal: AbortSignal): Promise<void> {
    await this.health.noteMissing(layers.map(({ chainId }) => chainId));
    const isMissing = layers.some(({ chainId }) => !this.health.isWhole(chainId));
    if (isMissing) await this.#places.ensure();
    await using _expected = isMissing ? this.#threads.expect() : undefined;
    const stop = new AbortController();
    using linked = linkSignals(signal, stop.signal);
    const ensuring = toStacks(layers).map((stack) => this.#ensureTop(stack, source, linked.signal));
    try {
      await Promise.all(ensuring);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }

  /** The last of `layers`, and before it those below. */
  async #ensureTop(layers: readonly WantedLayer[], source: BlobSource, signal: AbortSignal): Promise<void> {
    const top = layers.at(-1);
    if (top === undefined) return;
    const key = `${top.chainId} ${top.blob.digest ?? ''}`; // another blob must not fail for this one
    for (;;) {
      const joins = this.#flights.has(key);
      try {
        await this.#flights.do(key, signal, (shared) =>
          this.#noted(this.#fetch(layers, top, source, shared)),
        );
        return;
      } catch (error) {
        // The registry of another pull, or its login, need not be ours.
        if (!joins || signal.aborted || !(error instanceof Fault && OF_A_REGISTRY.has(error.code)))
          throw error;
      }
    }
  }

  #noted(work: Promise<void>): Promise<void> {
    this.#working.add(work);
    const forget = () => this.#working.delete(work);
    work.then(forget, forget); // whoever waits for it is told of its failure
    return work;
  }

  async #fetch(
    layers: readonly WantedLayer[],
    top: WantedLayer,
    source: BlobSource,
    signal: AbortSignal,
  ): Promise<void> {
    const stop = new AbortController();
    using linked = linkSignals(signal, stop.signal);
    const below = this.#ensureTop(layers.slice(0, -1), source, linked.signal);
    below.catch((error: unknown) => {
      stop.abort(error); // awaited further down, if we get there
    });
    try {
      if (!(await this.#isThere(top.chainId, linked.signal))) {
        await this.#unpack(layers, top, { source, below, signal: linked.signal });
      }
      this.activities.of(top.chainId).state = 'done';
      await below;
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }

  /** Waits for a removal under way. */
  async #isThere(chainId: Digest, signal: AbortSignal): Promise<boolean> {
    using _guard = await this.#locks.acquire(chainId, signal);
    return this.health.isWhole(chainId);
  }

  async #unpack(layers: readonly WantedLayer[], top: WantedLayer, work: LayerWork): Promise<void> {
    while ((await this.#tryUnpack(layers, top, work)) === 'again');
  }

  /** @returns `again` if what came was wrong, and somebody else may have it right */
  async #tryUnpack(
    layers: readonly WantedLayer[],
    top: WantedLayer,
    work: LayerWork,
  ): Promise<'done' | 'again'> {
    const directory = (this.#nextName++).toString(NAME_RADIX);
    const path = this.#places.layer(directory);
    const activity = this.activities.of(top.chainId);
    let committed = false;
    try {
      const unpacked = await this.#pipe(directory, top, work);
      if (unpacked === undefined) return 'again';
      expectDigest(top.diffId, unpacked.diffId, 'its content');
      const { tree } = unpacked;
      await work.below; // not with a slot or a thread in hand: those below may need them
      const lower = layers.slice(0, -1).map(({ chainId }) => this.pathOf(chainId));
      await inheritAttributes(tree.impliedDirectories, path, lower.toReversed());
      await syncFs(path);
      const { diskBytes, inodes, inventory } = tree;
      const { chainId: id, diffId } = top;
      const layer = { id, diffId, directory, inventory, unprovenSince: this.#bootId, diskBytes, inodes };
      committed = await this.#commit(layer, work);
      return 'done';
    } catch (error) {
      activity.state = 'failed';
      throw error;
    } finally {
      if (!committed) await this.#leftovers.discard(directory);
    }
  }

  /**
   * Network, hash, decompression, hash, files: each byte once.
   *
   * @returns what came; `undefined` if it was not the blob that was wanted, and somebody else may have that
   */
  async #pipe(
    directory: string,
    { chainId, diffId, blob, file }: WantedLayer,
    { source, signal }: LayerWork,
  ): Promise<Unpacked | undefined> {
    const parties = () => this.#leases.holdersOf(chainId);
    using _download = await this.#downloads.acquire(parties, signal);
    const name = blob.digest ?? diffId;
    const activity = this.activities.of(chainId);
    const opened = source.open({ ...blob, digest: name }, signal, activity);
    const rate = source.kind === 'registry' ? this.#rate : undefined;
    const all = activity.download(rate?.limit(opened, parties, signal) ?? opened);
    const { turn, chunks } = await readAhead(all, this.#unpacks.acquire(parties, signal), READ_AHEAD_BYTES);
    using _unpack = turn;
    const path = this.#places.layer(directory);
    await mkdir(path, { mode: 0o755 });
    await using thread = this.#threads.take({ more: this.#unpacks.waiting > 0 && blob.size < SMALL_BYTES });
    const order = {
      directory: path,
      inventory: this.#places.inventory(directory),
      chunks,
      blobDigest: name,
      diffId,
      limits: this.#limits,
      ...(file !== undefined && { file: { path: file, sizeBytes: blob.size } }),
    };
    try {
      const unpacked = await thread.unpack(order, signal);
      if (blob.digest !== undefined) expectDigest(blob.digest, unpacked.blobDigest, 'what came');
      return unpacked;
    } catch (error) {
      rejectDamaged(source, name, error);
      return undefined;
    }
  }

  /** In the place of one that is damaged, if there is one. @returns `false` if another made the same meanwhile */
  async #commit(layer: Layer, { signal }: LayerWork): Promise<boolean> {
    using _guard = await this.#locks.acquire(layer.id, signal);
    if (this.health.isWhole(layer.id)) return false;
    const damaged = this.find(layer.id);
    await this.#records.put(layer);
    if (damaged !== undefined) {
      await this.#leftovers.retire(damaged.directory);
      void this.#noted(this.sweep()); // it logs its failures
    }
    return true;
  }

  /** Resolves when the work now under way has ended, and has left nothing if it failed. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#working);
  }

  /**
   * Deletes the layers that nobody needs.
   *
   * @param isReferenced whether an image has the layer
   */
  async collect(isReferenced: (chainId: Digest) => boolean): Promise<void> {
    await this.ensureIngestDir();
    for (const { id } of this.list()) {
      using _guard = await this.#locks.acquire(id, NEVER);
      const layer = this.find(id);
      if (layer === undefined || isReferenced(id) || this.#leases.has(id)) continue;
      await this.#records.remove(id);
      await this.#leftovers.moveAside(layer.directory);
    }
    await this.#leftovers.release();
    await this.sweep();
  }

  /** A container is gone, and with it perhaps the last that stood on a directory. */
  async release(): Promise<void> {
    if (await this.#leftovers.release()) void this.#noted(this.sweep()); // it logs its failures
  }

  /** Deletes what was moved aside. */
  async sweep(): Promise<void> {
    await this.ensureIngestDir();
    await this.#leftovers.sweep();
  }
}

/** What lies on each other; files lie on nothing. */
function toStacks(layers: readonly WantedLayer[]): (readonly WantedLayer[])[] {
  return layers.some(({ file }) => file !== undefined) ? layers.map((layer) => [layer]) : [layers];
}

const OF_A_REGISTRY: ReadonlySet<FaultCode> = new Set([
  'unavailable',
  'not_found',
  'failed_precondition',
  'data_loss',
]);
const NAME_RADIX = 36;
/** A thread that stands ready takes 12 MiB: while a large layer comes, that is more than the 35 ms it saves. */
const SMALL_BYTES = 4 << 20;
/** Of a layer that waits for a thread: enough for a small one, and bounded for all that are downloaded at a time. */
const READ_AHEAD_BYTES = 512 * 1024;
const NEVER = new AbortController().signal;

/** Damaged bytes may show before all have come. @throws the error, or why nobody has the blob as it should be */
function rejectDamaged(source: BlobSource, digest: Digest, error: unknown): void {
  if (!(error instanceof Fault) || error.code !== 'data_loss') throw error;
  const final = source.reject(digest, error);
  if (final !== undefined) throw final;
}

function expectDigest(expected: Digest, actual: Digest, what: string): void {
  if (expected === actual) return;
  const message = `cannot use layer "${expected}": ${what} has the digest "${actual}"`;
  throw new Fault('data_loss', message, { detail: { digest: expected, actual } });
}
