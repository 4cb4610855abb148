// What the kernel counts of pods, for all who want to know: groups of processes, networks, writable layers. Only
// what is asked for is read; who asks at the same time is given the same sample.

import { statfs } from 'node:fs/promises';
import { inBatches } from '../base/batches.ts';
import type { Call, Log } from '../base/call.ts';
import { listMounts } from '../sys/mountinfo.ts';
import { findCgroupRoots, type CgroupRoots } from './cgroup-roots.ts';
import { CpuRates } from './cpu-rate.ts';
import { Fresh, type Reading } from './fresh.ts';
import type { GroupsAsked } from './group-reader.ts';
import { LayerUsages } from './layer-usage.ts';
import { ReaderThread } from './reader-thread.ts';
import type { DiskCapacity, GroupUsage, NetworkUsage, TreeUsage } from './usage.ts';

export interface StatsOptions {
  /** Where the network namespace of a sandbox is pinned. */
  readonly networkPath: (sandboxId: string) => string;
  /** The directory that holds what a container has written. */
  readonly layerPath: (containerId: string) => string;
  /** On the file system that has the layers; absolute. */
  readonly layersRoot: string;
  readonly log: Log;
}

/** How old an answer may be. */
const MAX_AGE_MS = 1000;
/** Half a millisecond of the main thread. */
const GROUPS_PER_ANSWER = 50;

export class Stats implements AsyncDisposable {
  readonly layersRoot: string;
  readonly #log: Log;
  readonly #roots: CgroupRoots;
  readonly #thread = new ReaderThread();
  readonly #rates = new CpuRates();
  readonly #usages: Fresh<GroupUsage>;
  readonly #details: Fresh<GroupUsage>;
  readonly #networks: Fresh<NetworkUsage>;
  readonly #layers: LayerUsages;

  private constructor(roots: CgroupRoots, { networkPath, layerPath, layersRoot, log }: StatsOptions) {
    const now = () => performance.now();
    const fresh = { maxAgeMs: MAX_AGE_MS, now };
    this.layersRoot = layersRoot;
    this.#log = log;
    this.#roots = roots;
    this.#usages = new Fresh({ ...fresh, read: (paths) => this.#readGroups({ paths, detailed: false }) });
    this.#details = new Fresh({ ...fresh, read: (paths) => this.#readGroups({ paths, detailed: true }) });
    this.#networks = new Fresh({ ...fresh, read: (ids) => this.#readNetworks(networkPath, ids) });
    this.#layers = new LayerUsages({ log, now, walk: (id) => this.#thread.ask('tree', layerPath(id)) });
  }

  /** @throws {Fault} failed_precondition — no control groups are mounted */
  static async open(options: StatsOptions): Promise<Stats> {
    return new Stats(findCgroupRoots(await listMounts()), options);
  }

  /** What the groups at these paths use; a group that is gone has no entry. */
  async groups(call: Call, paths: readonly string[]): Promise<Reading<GroupUsage>> {
    const isDetailed = (path: string) => this.#details.has(path);
    const [detailed, plain] = await Promise.all([
      this.#details.get(call.signal, paths.filter(isDetailed)),
      this.#usages.get(
        call.signal,
        paths.filter((path) => !isDetailed(path)),
      ),
    ]);
    return new Map([...detailed, ...plain]);
  }

  /** As `groups()`, with `detail`. */
  detailedGroups(call: Call, paths: readonly string[]): Promise<Reading<GroupUsage>> {
    return this.#details.get(call.signal, paths);
  }

  /** What the networks of these sandboxes have carried; one that is gone has no entry. */
  networks(call: Call, sandboxIds: readonly string[]): Promise<Reading<NetworkUsage>> {
    return this.#networks.get(call.signal, sandboxIds);
  }

  /**
   * What the writable layers of these containers take: as it was up to 10 seconds ago, or longer for one that
   * takes long to add up. One that is not known yet has no entry.
   */
  layers(call: Call, containerIds: readonly string[]): Promise<Reading<TreeUsage>> {
    return this.#layers.get(call, containerIds);
  }

  async capacity(): Promise<DiskCapacity> {
    const { blocks, bsize, files, ffree } = await statfs(this.layersRoot, { bigint: true });
    return { sizeBytes: blocks * bsize, inodes: files, freeInodes: ffree };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }

  /** A part at a time, since the main thread takes in an answer in one piece. */
  async #readGroups({ paths, detailed }: GroupsAsked): Promise<Reading<GroupUsage>> {
    const roots = this.#roots;
    const parts = inBatches(paths, GROUPS_PER_ANSWER);
    const answers = await Promise.all(
      parts.map((part) => this.#thread.ask('groups', { paths: part, detailed, roots })),
    );
    for (const [path, reason] of answers.flatMap(({ failures }) => [...failures]))
      this.#log.warn({ path, reason }, 'usage of a cgroup cannot be read');
    return this.#rates.apply(new Map(answers.flatMap(({ usages }) => [...usages])));
  }

  async #readNetworks(
    networkPath: StatsOptions['networkPath'],
    ids: readonly string[],
  ): Promise<Reading<NetworkUsage>> {
    const paths = new Map(ids.map((id) => [id, networkPath(id)]));
    const { usages, failures } = await this.#thread.ask('networks', paths);
    for (const [id, reason] of failures) this.#log.warn({ id, reason }, 'usage of a network cannot be read');
    return usages;
  }
}
