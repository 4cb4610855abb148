// The cgroups of a node of the tests, in every hierarchy of this machine.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { parseMountInfo } from '../../../pkg/sys/mountinfo.ts';
import { CGROUP_DRIVER, isPodCgroup } from './cgroup-driver.ts';
import type { Place } from './place.ts';
import { startSlice, stopUnits } from './systemd-units.ts';

/** Where hierarchies are mounted: one with version 2, one for each controller with version 1. */
export function hierarchies(): string[] {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const found = mounts.filter(({ fsType }) => fsType === 'cgroup' || fsType === 'cgroup2');
  return [...new Set(found.map(({ target }) => target))];
}

/** Where a controller's files of a container are: `/sys/fs/cgroup/memory`, or the one hierarchy of version 2. */
export function hierarchyOf(controller: string): string {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const v1 = mounts.find(
    ({ fsType, superOptions }) => fsType === 'cgroup' && superOptions.includes(controller),
  );
  const found = v1 ?? mounts.find(({ fsType }) => fsType === 'cgroup2');
  if (found === undefined) throw new Error('this machine has no cgroups');
  return found.target;
}

export const isCgroupV2 = !parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')).some(
  ({ fsType }) => fsType === 'cgroup',
);

export interface FoundCgroup {
  /** Where it is mounted. */
  readonly hierarchy: string;
  /** Below that, beginning with a slash. */
  readonly path: string;
}

/** All cgroups below that of the node, children before parents. */
export function listCgroups({ cgroupParent }: Place): FoundCgroup[] {
  return hierarchies().flatMap((hierarchy) =>
    below(hierarchy, cgroupParent).map((path) => ({ hierarchy, path })),
  );
}

function below(hierarchy: string, path: string): string[] {
  const dir = join(hierarchy, path);
  if (!existsSync(dir)) return [];
  const children = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return children.flatMap(({ name }) => [...below(hierarchy, join(path, name)), join(path, name)]);
}

/** Those that a kubelet makes for each pod, and removes when the pod is gone. What is not empty stays. */
export function removePodCgroups(place: Place): void {
  const found = listCgroups(place).filter(({ path }) => isPodCgroup(path));
  const empty = found.filter(({ hierarchy, path }) => below(hierarchy, path).length === 0);
  stopUnits(empty.map(({ path }) => basename(path))); // systemd would take away what is below
  for (const { hierarchy, path } of empty) tryRemove(join(hierarchy, path));
}

/** Makes that of a pod with a limit for all of it, as a kubelet does before it runs the pod. */
export function limitPodMemory(path: string, bytes: bigint): void {
  if (CGROUP_DRIVER === 'systemd') {
    startSlice(path, bytes);
    return;
  }
  const dir = join(hierarchyOf('memory'), path);
  mkdirSync(dir, { recursive: true });
  if (isCgroupV2) writeFileSync(join(dir, '../cgroup.subtree_control'), '+memory');
  writeFileSync(join(dir, isCgroupV2 ? 'memory.max' : 'memory.limit_in_bytes'), String(bytes));
}

/** All of them that are empty. */
export function removeCgroups(place: Place): void {
  for (const { hierarchy, path } of listCgroups(place)) tryRemove(join(hierarchy, path));
}

function tryRemove(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // not there, or not empty: then it is found as a leak
  }
}

/**
 * Has the kernel count what this group writes to the disk below `dir`: version 1 does so only where there is a limit,
 * and is given one that nobody reaches.
 *
 * @returns whether it counts: a file system in memory has no disk, and a kernel may count none
 */
export function countDiskWrites(group: string, dir: string): boolean {
  const { dev } = statSync(dir, { bigint: true });
  const [major, minor] = [(dev >> 8n) & 0xfffn, (dev & 0xffn) | ((dev >> 12n) & 0xfff00n)];
  if (major === 0n) return false;
  if (isCgroupV2) return true;
  const limit = join(hierarchyOf('blkio'), group, 'blkio.throttle.write_bps_device');
  if (!existsSync(limit)) return false;
  const device = `/sys/dev/block/${major}:${minor}`;
  const disk = existsSync(join(device, 'partition')) ? join(device, '..') : device;
  const number = readFileSync(join(realpathSync(disk), 'dev'), 'utf8').trim();
  writeFileSync(limit, `${number} ${Number.MAX_SAFE_INTEGER}`);
  return true;
}
