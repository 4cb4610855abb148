// What the kernel itself says of a container, read past the daemon: for tests that compare.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchyOf, isCgroupV2 } from './cgroups.ts';

/** The file of a controller, under its name in either version; absent if the kernel has none. */
function read(controller: string, group: string, name: string): string | undefined {
  const path = join(hierarchyOf(controller), group, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** `name 123` in a file of such lines. */
function lineOf(text: string | undefined, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1]);
}

export function cpuNs(group: string): number {
  if (isCgroupV2) return lineOf(read('cpu', group, 'cpu.stat'), 'usage_usec') * 1000;
  return Number(read('cpuacct', group, 'cpuacct.usage'));
}

export function rssBytes(group: string): number {
  return lineOf(read('memory', group, 'memory.stat'), isCgroupV2 ? 'anon' : 'total_rss');
}

/** All memory, and of it file pages that have not been used for long. */
export function memoryBytes(group: string): { readonly used: number; readonly inactive: number } {
  const used = read('memory', group, isCgroupV2 ? 'memory.current' : 'memory.usage_in_bytes');
  const stat = read('memory', group, 'memory.stat');
  return { used: Number(used), inactive: lineOf(stat, isCgroupV2 ? 'inactive_file' : 'total_inactive_file') };
}

/** Absent where it is not counted. */
export function swapBytes(group: string): number | undefined {
  if (isCgroupV2) {
    const text = read('memory', group, 'memory.swap.current');
    return text === undefined ? undefined : Number(text);
  }
  if (read('memory', group, 'memory.memsw.limit_in_bytes') === undefined) return undefined;
  return lineOf(read('memory', group, 'memory.stat'), 'total_swap');
}

export function processCount(group: string): number {
  const dir = join(hierarchyOf('pids'), group);
  const own = readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).length;
  const below = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return below.reduce((total, { name }) => total + processCount(join(group, name)), own);
}

/** Microseconds for which some task waited; absent where the kernel does not count them. */
export function pressureUs(group: string, resource: 'cpu' | 'memory' | 'io'): number | undefined {
  if (!isCgroupV2) return undefined;
  const text = read(resource, group, `${resource}.pressure`);
  return text === undefined ? undefined : Number(/^some .*total=(\d+)$/m.exec(text)?.[1]);
}

/** Bytes written to disks, all of them together. */
export function writtenBytes(group: string): number {
  const [name, pattern] = isCgroupV2
    ? (['io.stat', /wbytes=(\d+)/g] as const)
    : (['blkio.throttle.io_service_bytes_recursive', /^\d+:\d+ Write (\d+)$/gm] as const);
  const text = read(isCgroupV2 ? 'io' : 'blkio', group, name) ?? '';
  return [...text.matchAll(pattern)].reduce((total, [, bytes]) => total + Number(bytes), 0);
}

export interface Carried {
  readonly rx: number;
  readonly tx: number;
}

/** What the interface of a pod has carried, seen by a process in it. */
export function carriedBytes(pid: number, name: string): Carried {
  const line = readFileSync(`/proc/${pid}/net/dev`, 'utf8')
    .split('\n')
    .find((each) => each.trim().startsWith(`${name}:`));
  const columns = (line ?? '').split(':')[1]?.trim().split(/\s+/).map(Number) ?? [];
  return { rx: columns[0] ?? NaN, tx: columns[8] ?? NaN };
}
