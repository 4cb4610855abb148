// The control groups of pods and containers, the same for both versions of the kernel's interface. A path such
// as `/davit/4f1c` names a group in every hierarchy that the node has: one in version 2, one per controller in
// version 1. The unified tree beside version 1 (hybrid) has no controllers of use: nothing is made in it, but
// what runtimes leave there is taken away.

import { chown, mkdir, readFile, readdir, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { steadyMs } from '../base/clock.ts';
import { allDone } from '../async/all-done.ts';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';
import { listMounts, type MountPoint } from './mountinfo.ts';
import { identifyNow } from './process-identity.ts';
import { signal } from './process.ts';

/** One mounted tree of groups. */
interface Hierarchy {
  readonly root: string;
  /** Version 1: what it controls. Version 2: empty, since each group says so itself. */
  readonly controllers: readonly string[];
}

/** How long a group that is empty may stay busy, while the kernel takes leave of its last process. */
const REMOVE_TIMEOUT_MS = 5000;
const MAX_PAUSE_MS = 50;

export class Cgroups {
  readonly version: 1 | 2;
  readonly #hierarchies: readonly Hierarchy[];
  /** The unified tree of a hybrid node. */
  readonly #beside: readonly Hierarchy[];

  private constructor(version: 1 | 2, hierarchies: readonly Hierarchy[], beside: readonly Hierarchy[] = []) {
    this.version = version;
    this.#hierarchies = hierarchies;
    this.#beside = beside;
  }

  /** @throws {Fault} failed_precondition — the node has no cgroups mounted */
  static async detect(): Promise<Cgroups> {
    return Cgroups.fromMounts(await listMounts());
  }

  /** As `detect()`, from what is mounted. */
  static fromMounts(mounts: readonly MountPoint[]): Cgroups {
    const v1 = mounts
      .filter(({ fsType }) => fsType === 'cgroup')
      .map(({ target, superOptions }) => ({ root: target, controllers: superOptions }));
    const v2 = mounts
      .filter(({ fsType }) => fsType === 'cgroup2')
      .map(({ target }) => ({ root: target, controllers: [] }))
      .slice(0, 1);
    if (v1.length > 0) return new Cgroups(1, firstOfEach(v1), v2);
    if (v2.length > 0) return new Cgroups(2, v2);
    throw new Fault('failed_precondition', 'no control groups are mounted');
  }

  /** Whether the kernel can limit by it. @param name as it spells it: `memory`, `hugetlb` */
  async hasController(name: string): Promise<boolean> {
    if (this.version === 1) return this.#hierarchies.some(({ controllers }) => controllers.includes(name));
    const [hierarchy] = this.#hierarchies;
    if (hierarchy === undefined) return false;
    return words(await readFile(join(hierarchy.root, 'cgroup.controllers'), 'utf8')).includes(name);
  }

  /**
   * Lets a user make groups below this one and move its processes among them; with version 2 only.
   * Source: cgroups(7), "Cgroups delegation".
   */
  async delegate(path: string, ownerId: number): Promise<void> {
    const [hierarchy] = this.#hierarchies;
    if (this.version === 1 || hierarchy === undefined) return;
    const dir = join(hierarchy.root, path);
    const files = words(await readFile('/sys/kernel/cgroup/delegate', 'utf8'));
    await chown(dir, ownerId, ownerId);
    for (const file of files) await chown(join(dir, file), ownerId, ownerId).catch(ignore('ENOENT'));
  }

  /**
   * Makes the group, and those above it, where missing; processes may enter it then, and on version 2 every
   * controller that the node has is on in those above.
   */
  async create(path: string): Promise<void> {
    const names = namesOf(path);
    await allDone(this.#hierarchies.map((hierarchy) => this.#createIn(hierarchy, names)));
  }

  async #createIn({ root, controllers }: Hierarchy, names: readonly string[]): Promise<void> {
    let dir = root;
    for (const name of names) {
      if (this.version === 2) await enableControllers(dir);
      dir = join(dir, name);
      await mkdir(dir, { mode: 0o755 }).catch(ignore('EEXIST'));
      if (controllers.includes('cpuset')) await inheritCpuset(dir);
    }
  }

  /**
   * Deletes the group and those below it. That it is gone already is fine.
   *
   * @param timeoutMs how long to try while it is busy: that of a process that has just ended is so for a moment
   * @throws {Fault} failed_precondition — it has processes still
   */
  async remove(path: string, timeoutMs: number = REMOVE_TIMEOUT_MS): Promise<void> {
    const deadline = steadyMs() + timeoutMs;
    const dirs = this.#dirs(path, [...this.#hierarchies, ...this.#beside]);
    await allDone(
      dirs.map(async (dir) => {
        for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
          if (await removeGroups(dir)) break;
          if (steadyMs() > deadline) throw await this.#stillBusy(path);
          await delay(pauseMs);
        }
      }),
    );
  }

  /** Whether the group is there in any hierarchy: what a half done `create()` or `remove()` leaves counts. */
  async exists(path: string): Promise<boolean> {
    const found = await Promise.all(this.#dirs(path).map(isDirectory));
    return found.includes(true);
  }

  /** The processes in the group and below it, in ascending order; none if there is no such group. */
  async pids(path: string): Promise<number[]> {
    const pids = await Promise.all(this.#dirs(path).map(readPids));
    return [...new Set(pids.flat())].sort((a, b) => a - b);
  }

  /**
   * Kills every process in the group and below it, also those they start meanwhile, and waits until none is
   * left.
   *
   * @throws {Fault} failed_precondition — this process is among them; and the reason of `call.signal`
   */
  async killAll(call: Call, path: string): Promise<void> {
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS)) {
      const pids = await this.pids(path);
      if (pids.length === 0) return;
      if (pids.includes(process.pid)) {
        throw new Fault('failed_precondition', `cannot kill cgroup "${path}": this process is in it`);
      }
      call.signal.throwIfAborted();
      if (!(await this.#killAtOnce(path))) await this.#killEach(path, pids);
      await delay(pauseMs, undefined, { signal: call.signal }).catch(() => undefined); // checked above
    }
  }

  /** How many processes of the group and below it the kernel has killed for want of memory. */
  async oomKills(path: string): Promise<number> {
    const text = await this.#readMemoryFile(path, { 1: 'memory.oom_control', 2: 'memory.events' });
    return Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0);
  }

  /** How much memory the group may have, or `undefined` if there is no limit, or no such group. */
  async memoryLimitBytes(path: string): Promise<bigint | undefined> {
    const text = await this.#readMemoryFile(path, { 1: 'memory.limit_in_bytes', 2: 'memory.max' });
    if (text === undefined || text.trim() === 'max') return undefined;
    const limit = BigInt(text.trim());
    return limit >= UNLIMITED_BYTES ? undefined : limit;
  }

  /**
   * Whether the group has ever been at its own limit, of memory or of memory and swap. Version 1 counts refusals too,
   * but newer kernels not those for want of memory and swap together, so that the most ever used must tell.
   */
  async memoryLimitReached(path: string): Promise<boolean> {
    if (this.version === 2) {
      const events = await this.#readMemoryFile(path, { 1: '', 2: 'memory.events.local' });
      return Number(/^oom (\d+)$/m.exec(events ?? '')?.[1] ?? 0) > 0;
    }
    const read = (name: string) => this.#readMemoryFile(path, { 1: name, 2: '' });
    for (const kind of ['memory', 'memory.memsw']) {
      const [peak, limit] = await Promise.all([
        read(`${kind}.max_usage_in_bytes`),
        read(`${kind}.limit_in_bytes`),
      ]);
      if (peak !== undefined && limit !== undefined && BigInt(peak) + LAST_CHARGE_BYTES >= BigInt(limit))
        return true;
    }
    return false;
  }

  /** The most memory that the group has ever used; `undefined` where the kernel does not keep it. */
  async peakMemoryBytes(path: string): Promise<bigint | undefined> {
    const text = await this.#readMemoryFile(path, { 1: 'memory.max_usage_in_bytes', 2: 'memory.peak' });
    return text === undefined ? undefined : BigInt(text.trim());
  }

  async #readMemoryFile(path: string, names: Readonly<Record<1 | 2, string>>): Promise<string | undefined> {
    return await this.readFile(path, 'memory', names[this.version]);
  }

  /**
   * The text of a file of the group, or `undefined` if there is none.
   *
   * @param controller whose hierarchy it is in, on version 1
   */
  async readFile(path: string, controller: string, name: string): Promise<string | undefined> {
    const found = this.#hierarchies.find(
      ({ controllers }) => this.version === 2 || controllers.includes(controller),
    );
    return found && (await readIfThere(join(found.root, ...namesOf(path), name)));
  }

  #dirs(path: string, hierarchies: readonly Hierarchy[] = this.#hierarchies): string[] {
    return hierarchies.map(({ root }) => join(root, ...namesOf(path)));
  }

  /** Version 2, from Linux 5.14: one write kills all, also those that are just being started. */
  async #killAtOnce(path: string): Promise<boolean> {
    const [dir] = this.#dirs(path);
    if (this.version === 1 || dir === undefined) return false;
    try {
      await writeFile(join(dir, 'cgroup.kill'), '1', { flag: 'r+' });
      return true;
    } catch (error) {
      ignore('ENOENT')(error);
      return false;
    }
  }

  /**
   * The pids are read again after finding out what they identify: one that was used again in between, for a
   * process outside, is not in the second list, and one that is used again later has another start time.
   */
  async #killEach(path: string, pids: readonly number[]): Promise<void> {
    const identities = pids.filter((pid) => pid > 1).map(identifyNow);
    const still = new Set(await this.pids(path));
    for (const identity of identities) {
      if (identity !== undefined && still.has(identity.pid)) await signal(identity, 'SIGKILL');
    }
  }

  async #stillBusy(path: string): Promise<Fault> {
    const pids = await this.pids(path);
    return new Fault('failed_precondition', `cannot remove cgroup "${path}": it is in use`, {
      detail: { path, processes: pids.slice(0, 10).join(' ') },
    });
  }
}

/** The kernel takes several pages at once for itself: then the last of them did not fit. */
const LAST_CHARGE_BYTES = 64n * 1024n;

/** Version 1 has no word for "no limit": it is the greatest number of pages, in bytes. */
const UNLIMITED_BYTES = 1n << 62n;

/** The same controllers may be mounted at several places. */
function firstOfEach(hierarchies: readonly Hierarchy[]): Hierarchy[] {
  const byControllers = new Map<string, Hierarchy>();
  for (const hierarchy of hierarchies) {
    const key = [...hierarchy.controllers].sort().join(',');
    if (!byControllers.has(key)) byControllers.set(key, hierarchy);
  }
  return [...byControllers.values()];
}

/** @throws {Fault} invalid_argument — the path is not absolute, names the root, or leads upwards */
function namesOf(path: string): string[] {
  const names = path.split('/').slice(1);
  const isPlain = names.every((name) => name !== '' && name !== '.' && name !== '..' && !name.includes('\0'));
  if (path.startsWith('/') && isPlain) return names;
  throw new Fault('invalid_argument', `"${path}" is not the path of a cgroup`);
}

/** Passes on every controller that this group has itself to those below it. */
async function enableControllers(dir: string): Promise<void> {
  const available = words(await readFile(join(dir, 'cgroup.controllers'), 'utf8'));
  const file = join(dir, 'cgroup.subtree_control');
  const enabled = words(await readFile(file, 'utf8'));
  for (const controller of available.filter((name) => !enabled.includes(name))) {
    await writeFile(file, `+${controller}`).catch(
      ignore('EBUSY', 'EOPNOTSUPP', 'ENOTSUP', 'ENOENT', 'EINVAL'),
    );
  }
}

/** Before processes may enter a group of version 1 it needs processors and memory nodes; a new one has none. */
async function inheritCpuset(dir: string): Promise<void> {
  for (const name of ['cpuset.cpus', 'cpuset.mems']) {
    const own = await readFile(join(dir, name), 'utf8');
    if (own.trim() !== '') continue;
    await writeFile(join(dir, name), await readFile(join(dirname(dir), name), 'utf8'));
  }
}

/** Deepest first. @returns `false` if something is busy */
async function removeGroups(dir: string): Promise<boolean> {
  let done = true;
  for (const child of await childrenOf(dir)) done = (await removeGroups(child)) && done;
  try {
    await rmdir(dir);
  } catch (error) {
    if (isErrno(error, 'EBUSY', 'ENOTEMPTY')) return false;
    ignore('ENOENT')(error);
  }
  return done;
}

async function readPids(dir: string): Promise<number[]> {
  const text = (await readIfThere(join(dir, 'cgroup.procs'))) ?? '';
  const below = await Promise.all((await childrenOf(dir)).map(readPids));
  return [...words(text).map(Number), ...below.flat()];
}

async function childrenOf(dir: string): Promise<string[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => join(dir, entry.name));
  } catch (error) {
    ignore('ENOENT', 'ENODEV')(error);
    return [];
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    ignore('ENOENT')(error);
    return false;
  }
}

/** A group that is deleted while its file is read answers ENODEV. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    ignore('ENOENT', 'ENODEV')(error);
    return undefined;
  }
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

function ignore(...codes: readonly string[]): (error: unknown) => void {
  return (error) => {
    if (!isErrno(error, ...codes)) throw error;
  };
}
