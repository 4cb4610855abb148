// Why the kernel killed processes of a container for want of memory: whose limit it was, and how much was used. It
// is read while the container's cgroup is there still; systemd takes that away with its last process.

import { dirname } from 'node:path';
import type { Container } from './container.ts';

/** What the groups of the node tell; a group that is gone tells nothing. */
export interface MemoryGroups {
  oomKills(path: string): Promise<number>;
  memoryLimitReached(path: string): Promise<boolean>;
  memoryLimitBytes(path: string): Promise<bigint | undefined>;
  peakMemoryBytes(path: string): Promise<bigint | undefined>;
}

/**
 * @param seen whether the shim saw it, which may miss one that came with the container's end
 * @returns a sentence for people, or `undefined` if there was no such kill
 */
export async function findOomKill(
  groups: MemoryGroups,
  { cgroupPath, resources }: Pick<Container, 'cgroupPath' | 'resources'>,
  seen: boolean,
): Promise<string | undefined> {
  const kills = await groups.oomKills(cgroupPath);
  if (kills === 0 && !seen) return undefined;
  const killed = `the kernel killed ${kills > 1 ? `${kills} processes` : 'a process'} of the container`;
  const reached = await findReached(groups, cgroupPath);
  if (reached !== undefined) return `${killed}: ${reached}`;
  const asked = resources?.memoryLimitBytes;
  const gone = kills === 0 && asked !== undefined && asked > 0n; // the group, and what it counted
  if (gone) return `${killed}: the container reached its memory limit of ${asked} bytes`;
  return `${killed}: the node was short of memory${used(await groups.peakMemoryBytes(cgroupPath))}`;
}

/** The nearest limit that was met, from the container upwards. */
async function findReached(groups: MemoryGroups, container: string): Promise<string | undefined> {
  for (let path = container; path !== '/'; path = dirname(path)) {
    const limit = await groups.memoryLimitBytes(path);
    if (limit === undefined || !(await groups.memoryLimitReached(path))) continue;
    const peak = used(await groups.peakMemoryBytes(path));
    if (path === container) return `the container reached its memory limit of ${limit} bytes${peak}`;
    const whose = dirname(container) === path ? "the pod's cgroup" : 'cgroup';
    return `${whose} "${path}" reached its memory limit of ${limit} bytes${peak}`;
  }
  return undefined;
}

function used(peak: bigint | undefined): string {
  return peak === undefined ? '' : ` (at most ${peak} bytes were used)`;
}
