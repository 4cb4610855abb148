// What a run of tests or of a benchmark has on this machine, all of it by names that nobody else has. Loads nothing
// that takes long, since every file of tests asks at its end.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isErrno } from '../errno.ts';
import { parseMountInfo, type MountPoint } from '../mountinfo.ts';
import { describeProcess, listPids, readProc } from './processes.ts';

export interface Belongings {
  /** Absolute and real. Processes that were called with one of them belong to it, and what is mounted below. */
  readonly dirs: readonly string[];
  /** `/davit-bench-1a2b`: in every hierarchy; those beside it that begin with it and a dash too. */
  readonly cgroup: string;
  /** A bridge, and what is on it. */
  readonly bridge?: string;
  /** A word in the comments of rules for masquerading. */
  readonly rules?: string;
  /** What `ip_forward` was, to be put back: the bridge plugin turns it on, and nobody needs it without a bridge. */
  readonly forwarding?: string;
}

/** Processes, mounts and cgroups that are there, one sentence each; and files in the directories. */
export function remainsOf(belongings: Belongings): string[] {
  return [
    ...processesOf(belongings).map((pid) => `process ${describeProcess(pid)} runs`),
    ...mountsOf(belongings).map(({ target, fsType }) => `${fsType} is mounted at "${target}"`),
    ...cgroupsOf(belongings).map((dir) => `cgroup "${dir}" is there`),
    ...belongings.dirs.flatMap((dir) => readIfThere(dir).map((name) => `"${join(dir, name)}" is there`)),
  ];
}

export function processesOf(belongings: Belongings): number[] {
  const inGroups = new Set(cgroupsOf(belongings).flatMap(pidsIn));
  return listPids().filter((pid) => inGroups.has(pid) || belongings.dirs.some((dir) => mentions(pid, dir)));
}

function mentions(pid: number, dir: string): boolean {
  return ['cmdline', 'environ'].some((file) => readProc(pid, file).includes(dir));
}

/** In the order in which they were made. */
export function mountsOf({ dirs }: Pick<Belongings, 'dirs'>): MountPoint[] {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  return mounts.filter(({ target }) => dirs.some((dir) => target === dir || target.startsWith(`${dir}/`)));
}

/** Directories of the topmost. */
export function cgroupsOf({ cgroup }: Belongings): string[] {
  const name = cgroup.slice(1);
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const hierarchies = mounts.filter(({ fsType }) => fsType === 'cgroup' || fsType === 'cgroup2');
  return [...new Set(hierarchies.map(({ target }) => target))].flatMap((root) =>
    readIfThere(root)
      .filter((entry) => entry === name || entry.startsWith(`${name}-`))
      .map((entry) => join(root, entry)),
  );
}

function pidsIn(group: string): number[] {
  const procs = readIfThere(group).includes('cgroup.procs') ? readProcs(group) : [];
  return [...procs, ...subgroups(group).flatMap(pidsIn)];
}

/** Of a threaded group of version 2 the kernel tells none: they are in the one above. */
function readProcs(group: string): number[] {
  try {
    return readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return [];
    throw error;
  }
}

export function subgroups(group: string): string[] {
  if (!existsSync(group)) return [];
  const entries = readdirSync(group, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(group, name));
}

export function readIfThere(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
