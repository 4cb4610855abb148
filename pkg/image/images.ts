// The images of this node: pulled, loaded, found, removed. An image is in the records only when all its layers
// are; layers that no image has are collected.

import { timeOfDayMs } from '../base/clock.ts';
import type { Party } from '../async/fair-slots.ts';
import { join } from 'node:path';
import { KeyedLock } from '../async/keyed-lock.ts';
import { SharedWork } from '../async/shared-work.ts';
import type { Call, Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ImageId } from '../base/id.ts';
import { observed, type Observe } from '../base/outcome.ts';
import { stage } from '../base/timeline.ts';
import type { Database } from '../store/database.ts';
import { Archive } from './archive/archive.ts';
import { explainDisk } from './disk-fault.ts';
import { diskUsage, type DiskUsage } from './disk-usage.ts';
import type { Image } from './image.ts';
import { ImageRecords } from './image-records.ts';
import type { ImageSource } from './image-source.ts';
import { ImageVerification } from './image-verification.ts';
import { DeclaredVolumes } from './declared-volumes.ts';
import { ImageVolumes } from './image-volumes.ts';
import type { BootHistory } from './layer-health.ts';
import { LayerStore } from './layer-store.ts';
import { needs, type LayersNeeded } from './layers-needed.ts';
import { pinMatcher } from './pinned.ts';
import { PullLog, type PullProgress } from './pull-log.ts';
import { parseReference, type Reference } from './reference.ts';
import { RegistrySession, type FetchedManifest, type RegistryOptions } from './registry/client.ts';
import { fingerprintOf, type RegistryAuth } from './registry/credentials.ts';
import { fetchTop, findManifest, namesFor, resolveImage, type FoundManifest } from './resolve.ts';
import type { SignatureDemands } from './signature/signature-demands.ts';
import { SignaturePolicy } from './signature/signature-policy.ts';
import { Snapshots } from './snapshots.ts';
import type { UnpackLimits } from './unpack/limits.ts';

export interface ImagesOptions {
  readonly db: Database;
  /** Holds `snapshots`, and `layers` and `ingest` unless these have a place of their own. */
  readonly root: string;
  /** Holds `layers` and `ingest`: another disk, perhaps. */
  readonly layersRoot?: string;
  /** Holds the mounted root file systems. */
  readonly runDir: string;
  readonly registries: RegistryOptions;
  readonly concurrency: { readonly downloads: number; readonly unpacks: number };
  /** Of all pulls together; 0 or absent for no limit. */
  readonly maxBytesPerSecond?: number;
  readonly limits?: UnpackLimits;
  /** Path of a file that says which images must be signed by whom; '' or absent for none. */
  readonly signaturePolicy?: string;
  /** Names of images that the kubelet is to keep, see `pinMatcher()`. */
  readonly pinned?: readonly string[];
  /** Whether a container has the image: it is kept then. */
  readonly isInUse: (id: ImageId) => boolean;
  readonly boot: BootHistory;
  /** How long after the start layers that no image has are kept. */
  readonly unusedLayersKeptMs?: number;
  readonly log: Log;
  readonly observer?: PullObserver;
}

/** Longer than the kubelet ever waits before it pulls again: five minutes. */
const UNUSED_LAYERS_KEPT_MS = 15 * 60_000;

/** Told of pulls: equal ones that share the work count once. */
export interface PullObserver {
  readonly pulled: Observe;
  /** What became of the layers of a pulled image. */
  readonly layers: (layers: LayersNeeded) => void;
  /** So many more requests for layers were needed than there are layers; also of a pull that failed. */
  readonly retried: (count: number) => void;
}

/** One that an archive has. */
export interface LoadedImage extends Image {
  /** What the archive calls it. It may have other tags, from elsewhere. */
  readonly loadedTags: readonly string[];
}

export interface PullRequest {
  /** As the kubelet has it: `busybox`, `registry.example/a/b@sha256:…` */
  readonly reference: string;
  readonly auth?: RegistryAuth | undefined;
  /** Goes before other pulls, as that of an image that is pinned does. */
  readonly isUrgent?: boolean;
}

/** One pull, for all who ask for the same. */
interface Wanted {
  readonly reference: Reference;
  readonly auth: RegistryAuth | undefined;
  readonly isUrgent: boolean;
}

/** A layer that no container can be made from. */
export interface DamagedLayer {
  readonly id: string;
  /** What is wrong with it. */
  readonly damage: string;
  /** Those that have it. */
  readonly images: readonly Image[];
}

export class Images implements AsyncDisposable {
  readonly snapshots: Snapshots;
  readonly volumes: ImageVolumes;
  /** Those that images declare of their own paths. */
  readonly declaredVolumes: DeclaredVolumes;
  readonly verification: ImageVerification;
  /** Those under way, and the last few. */
  readonly pulls: PullLog;
  readonly #options: ImagesOptions;
  readonly #records: ImageRecords;
  readonly #layers: LayerStore;
  readonly #policy: SignaturePolicy;
  readonly #pulling = new SharedWork<string, Image>('pull of this image');
  readonly #locks: KeyedLock<ImageId>;
  readonly #isPinned: (names: Pick<Image, 'repoTags' | 'repoDigests'>) => boolean;
  /** What goes on although nobody waits for it. */
  readonly #background = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #collecting: NodeJS.Timeout | undefined;

  private constructor(
    options: ImagesOptions,
    parts: { records: ImageRecords; layers: LayerStore; locks: KeyedLock<ImageId>; snapshots: Snapshots },
  ) {
    this.#options = options;
    this.#isPinned = pinMatcher(options.pinned ?? []);
    this.#records = parts.records;
    this.#layers = parts.layers;
    this.#policy = new SignaturePolicy(options.signaturePolicy ?? '');
    this.#locks = parts.locks;
    this.snapshots = parts.snapshots;
    const { layers, locks, records } = parts;
    const findImage = (id: ImageId) => records.find(id);
    this.pulls = new PullLog(layers.activities);
    this.declaredVolumes = new DeclaredVolumes(options.root);
    this.volumes = new ImageVolumes({ runDir: options.runDir, layers, locks, findImage });
    this.verification = new ImageVerification(this, layers);
  }

  /** Reads the records, and clears away what a crash left half done. */
  static async open(options: ImagesOptions): Promise<Images> {
    const records = await ImageRecords.open(options.db, options.root, options.log);
    const layers = await LayerStore.open({
      ...options,
      root: options.layersRoot ?? options.root,
      aliases: [join(options.root, 'snapshots'), join(options.runDir, 'containers')],
    });
    const locks = new KeyedLock<ImageId>();
    const { root, runDir } = options;
    const snapshots = await Snapshots.open({
      root,
      runDir,
      layers,
      locks,
      findImage: (id) => records.find(id),
    });
    const images = new Images(options, { records, layers, locks, snapshots });
    images.#inBackground(layers.sweep());
    return images;
  }

  list(): Image[] {
    return this.#records.list().map((image) => this.#pinned(image));
  }

  /** @param text an id, whole or in part, or a reference in any form */
  find(text: string): Image | undefined {
    const image = this.#records.find(text);
    return image && this.#pinned(image);
  }

  /** Whether containers can be made from it: one that cannot is as good as absent, and to be pulled again. */
  isUsable({ chainIds }: Pick<Image, 'chainIds'>): boolean {
    return chainIds.every((chainId) => this.#layers.health.isWhole(chainId));
  }

  /** As `isUsable()`, and looks whether somebody has removed its layers. */
  async #isWhole(image: Pick<Image, 'chainIds'>): Promise<boolean> {
    await this.#layers.health.noteMissing(image.chainIds);
    return this.isUsable(image);
  }

  /** After a look whether all layers are there. */
  async damage(): Promise<DamagedLayer[]> {
    const { health } = this.#layers;
    const images = this.list();
    const ids = [...new Set(images.flatMap(({ chainIds }) => chainIds))];
    await health.noteMissing(ids);
    return ids.flatMap((id) => {
      const damage = health.damageOf(id);
      return damage === undefined
        ? []
        : [{ id, damage, images: images.filter(({ chainIds }) => chainIds.includes(id)) }];
    });
  }

  /** Whether it is here and cannot be used. */
  isDamaged(id: ImageId): boolean {
    const image = this.find(id);
    return image !== undefined && !this.isUsable(image);
  }

  /** @param listener told that an image has been found damaged; a second replaces the first */
  onDamage(listener: () => void): void {
    this.#layers.health.onDamage(listener);
  }

  /**
   * Verifies in the background what may have suffered when the machine went down. Collects what no image has, later:
   * layers of a pull that a crash has cut off are for the next, which the kubelet makes within minutes.
   */
  start(): void {
    this.#inBackground(this.#layers.health.proveAll(this.#closing.signal));
    const { unusedLayersKeptMs = UNUSED_LAYERS_KEPT_MS } = this.#options;
    this.#collecting = setTimeout(() => {
      this.#inBackground(this.#collect());
    }, unusedLayersKeptMs).unref();
  }

  /**
   * Brings the image onto the node. Equal pulls share the work; one that its caller gives up costs the others
   * nothing.
   *
   * @throws {Fault} invalid_argument — the reference; unavailable — the registry cannot be reached, prefixed
   *   `RegistryUnavailable: `; not_found; failed_precondition — access denied, or it is not signed as the policy
   *   wants, prefixed `SignatureValidationFailed: `; data_loss — what came is not what
   *   its digest says; resource_exhausted — the disk, or a layer out of all proportion; unimplemented
   */
  async pull(call: Call, { reference: text, auth, isUrgent: wanted = false }: PullRequest): Promise<Image> {
    const reference = parseReference(text);
    const isUrgent = wanted || this.#isPinned({ repoTags: [reference.toString()], repoDigests: [] });
    const key = `${reference.toString()} ${isUrgent} ${fingerprintOf(auth)}`; // who may not pull must not share one
    return await this.#pulling.do(key, call, async (shared) => {
      const pulling = this.#pull(shared, { reference, auth, isUrgent });
      this.#inBackground(pulling); // until it has cleaned up, also when its callers have left
      return await pulling;
    });
  }

  /**
   * Installs the images of an archive: an OCI layout or what `docker save` writes, plain, gzip or zstd.
   *
   * @throws {Fault} not_found — there is no such file; invalid_argument — it is no archive of images;
   *   and as `pull()`
   */
  async load(call: Call, archivePath: string): Promise<LoadedImage[]> {
    try {
      using _stage = stage(call, 'read archive');
      await using archive = await Archive.open(
        archivePath,
        await this.#layers.ensureIngestDir(),
        call.signal,
      );
      await this.#policy.expectArchiveAllowed(archive.form, archivePath);
      const images: LoadedImage[] = [];
      for (const source of await archive.images(call.signal)) {
        const image = await this.#install(call, source, { isUrgent: false });
        images.push({ ...image, loadedTags: source.repoTags });
      }
      return images;
    } catch (error) {
      throw explainDisk(error, `load "${archivePath}"`);
    }
  }

  /**
   * Forgets the image under all its names; that it is not here is fine. Its layers go in the background.
   *
   * @throws {Fault} failed_precondition — a container uses it
   */
  async remove(call: Call, text: string): Promise<void> {
    const image = this.find(text);
    if (image === undefined) return;
    using _guard = await this.#locks.acquireFor(image.id, call);
    if (this.#options.isInUse(image.id)) {
      throw new Fault('failed_precondition', `cannot remove image "${text}": a container uses it`, {
        detail: { id: image.id },
      });
    }
    await this.#records.remove(image.id);
    this.#inBackground(this.#collect());
  }

  /** What each image takes, from the records. */
  diskUsage(): DiskUsage {
    const isKept = ({ id, pinned }: Image) => pinned || this.#options.isInUse(id);
    return diskUsage(this.list(), this.#layers.list(), isKept);
  }

  /** What the layers take, from their records. */
  usage(): Promise<{ mountpoint: string; usedBytes: bigint; inodesUsed: bigint }> {
    const layers = this.#layers.list();
    return Promise.resolve({
      mountpoint: this.#options.layersRoot ?? this.#options.root,
      usedBytes: layers.reduce((sum, { diskBytes }) => sum + BigInt(diskBytes), 0n),
      inodesUsed: layers.reduce((sum, { inodes }) => sum + BigInt(inodes), 0n),
    });
  }

  /** Pinning is a matter of the configuration, which may change, and so not of the record. */
  #pinned(image: Image): Image {
    return { ...image, pinned: this.#isPinned(image) };
  }

  /** Resolves when nothing goes on in the background any more. */
  async settle(): Promise<void> {
    do {
      await Promise.allSettled(this.#background);
      await this.#layers.idle();
    } while (this.#background.size > 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#collecting);
    await this.settle();
  }

  async #pull(call: Call, wanted: Wanted): Promise<Image> {
    return await observed(this.#options.observer?.pulled, () =>
      this.pulls.note(wanted.reference.toString(), (progress) => this.#pullOnce(call, progress, wanted)),
    );
  }

  async #pullOnce(call: Call, progress: PullProgress, { reference, auth, isUrgent }: Wanted): Promise<Image> {
    try {
      const demands = await this.#policy.demandsOn(reference);
      await using session = await RegistrySession.open(this.#options.registries, reference, auth);
      const top = await this.#resolveTop(call, session, reference);
      const found = demands.isEmpty
        ? undefined
        : await this.#checkSignatures(call, session, { reference, top, demands });
      const known = this.#records.findByManifest(top.digest);
      if (known !== undefined && (await this.#isWhole(known)))
        return await this.#rename(call, known, reference, top);
      const source = await this.#resolve(call, session, { reference, top, found });
      const needed = needs(this.#layers.health, source.layers);
      progress.follow(source.layers, (chainId) => this.#layers.health.isWhole(chainId));
      const image = await this.#install(call, source, { isUrgent });
      this.#options.observer?.layers(needed);
      return image;
    } catch (error) {
      throw explainDisk(error, `pull image "${reference.toString()}"`);
    } finally {
      for (const each of progress.stages()) call.timeline?.add(each);
      this.#options.observer?.retried(progress.retries);
    }
  }

  async #resolveTop(call: Call, session: RegistrySession, reference: Reference): Promise<FetchedManifest> {
    using _stage = stage(call, 'resolve reference');
    return await fetchTop(session, reference, call.signal);
  }

  async #resolve(
    call: Call,
    session: RegistrySession,
    {
      reference,
      top,
      found,
    }: { reference: Reference; top: FetchedManifest; found: FoundManifest | undefined },
  ): Promise<ImageSource> {
    using _stage = stage(call, 'fetch manifest and config');
    const { signal } = call;
    const manifest = found ?? (await findManifest(session, reference, top, signal));
    return await resolveImage(session, reference, manifest, signal);
  }

  /** Before anything else of the image is read, and also if the image is here: the policy may have changed. */
  async #checkSignatures(
    call: Call,
    session: RegistrySession,
    { reference, top, demands }: { reference: Reference; top: FetchedManifest; demands: SignatureDemands },
  ): Promise<FoundManifest> {
    using _stage = stage(call, 'check signatures');
    const found = await findManifest(session, reference, top, call.signal);
    await demands.check(session, new Set([top.digest, found.digest]), call.signal);
    return found;
  }

  /** The same image, perhaps under a further name. */
  async #rename(call: Call, known: Image, reference: Reference, top: FetchedManifest): Promise<Image> {
    using _guard = await this.#locks.acquireFor(known.id, call);
    if (this.find(known.id) === undefined) throw new Fault('aborted', `image "${known.id}" is being removed`);
    return this.#pinned(await this.#records.add({ ...known, ...namesFor(reference, top) }));
  }

  async #install(call: Call, source: ImageSource, party: Party): Promise<Image> {
    const chainIds = source.layers.map(({ chainId }) => chainId);
    const id = source.id as ImageId; // checked when it was parsed
    let installed = false;
    try {
      using _lease = this.#layers.lease(chainIds, party);
      using _stage = stage(call, 'fetch and unpack layers');
      await this.#layers.ensure(source.layers, source.blobs, call.signal);
      using _guard = await this.#locks.acquireFor(id, call);
      const image = await this.#records.add(toImage(id, source, chainIds));
      installed = true;
      return this.#pinned(image);
    } finally {
      if (!installed) this.#inBackground(this.#layers.idle().then(() => this.#collect()));
    }
  }

  async #collect(): Promise<void> {
    const isReferenced = (chainId: string) => this.list().some(({ chainIds }) => chainIds.includes(chainId));
    try {
      await this.#layers.collect(isReferenced);
    } catch (err) {
      this.#options.log.warn({ err }, 'unused layers not deleted'); // the next collection tries again
    }
  }

  /** Failures have been told to who asked, or logged. */
  #inBackground(work: Promise<unknown>): void {
    const done = work.then(
      () => undefined,
      () => undefined,
    );
    this.#background.add(done);
    void done.then(() => this.#background.delete(done)); // never rejects
  }
}

function toImage(
  id: ImageId,
  { config, artifactType, sizeBytes, repoTags, repoDigests }: ImageSource,
  chainIds: string[],
): Image {
  return {
    id,
    repoTags,
    repoDigests,
    ...(artifactType !== undefined && { artifactType }),
    sizeBytes,
    config: config.run,
    os: config.os,
    architecture: config.architecture,
    createdAt: config.created,
    chainIds,
    pinned: false,
    pulledAtMs: timeOfDayMs(),
  };
}
