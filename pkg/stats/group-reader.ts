// Reads any number of control groups, whichever version the node has. One that cannot be read costs no other.

import { timeOfDayNs } from '../base/clock.ts';
import { readGroupV1 } from './cgroup-v1.ts';
import { readGroupV2 } from './cgroup-v2.ts';
import type { CgroupRoots } from './cgroup-roots.ts';
import type { GroupReadOptions } from './group-read-options.ts';
import { listPageSizes } from './hugepages.ts';
import type { KernelFiles } from './kernel-files.ts';
import type { GroupUsage } from './usage.ts';

export interface GroupsRead {
  /** By path; a group that is not there has none. */
  readonly usages: ReadonlyMap<string, GroupUsage>;
  /** Why others could not be read, by path. */
  readonly failures: ReadonlyMap<string, string>;
}

export interface GroupsAsked {
  /** Under the root of every hierarchy: `/kubepods/pod7/4f1c…`. */
  readonly paths: readonly string[];
  readonly detailed: boolean;
}

export function readGroups(
  files: KernelFiles,
  roots: CgroupRoots,
  { paths, detailed }: GroupsAsked,
): GroupsRead {
  const options: GroupReadOptions = { files, detailed, pageSizes: detailed ? listPageSizes(files) : [] };
  const now = startClock();
  const usages = new Map<string, GroupUsage>();
  const failures = new Map<string, string>();
  for (const path of paths) {
    try {
      const takenAtNs = now();
      const usage = readGroup(options, roots, path);
      if (usage !== undefined) usages.set(path, { takenAtNs, ...usage });
    } catch (error) {
      failures.set(path, error instanceof Error ? error.message : String(error));
    }
  }
  return { usages, failures };
}

function readGroup(
  options: GroupReadOptions,
  roots: CgroupRoots,
  path: string,
): Omit<GroupUsage, 'takenAtNs'> | undefined {
  return roots.version === 2
    ? readGroupV2(options, `${roots.root}${path}`)
    : readGroupV1(options, roots.roots, path);
}

/** Nanoseconds since the Unix epoch, as exact as differences between them have to be: rates are made of them. */
export function startClock(): () => bigint {
  const startedAtNs = timeOfDayNs();
  const start = process.hrtime.bigint();
  return () => startedAtNs + process.hrtime.bigint() - start;
}
