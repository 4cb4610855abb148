// Huge pages: which sizes there are, and what a group has of each.

import { toCount } from './counters.ts';
import type { KernelFiles } from './kernel-files.ts';
import type { HugepageUsage } from './usage.ts';

/** The sizes of huge pages that the machine has, as the files of cgroups are named after them: `2MB`, `1GB`. */
export function listPageSizes(files: KernelFiles): string[] {
  const names = files.names('/sys/kernel/mm/hugepages') ?? [];
  const kilobytes = names.map((name) => Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0));
  return kilobytes.sort((a, b) => a - b).map(toName);
}

function toName(kilobytes: number): string {
  if (kilobytes >= 1 << 20) return `${kilobytes >> 20}GB`;
  return kilobytes >= 1 << 10 ? `${kilobytes >> 10}MB` : `${kilobytes}KB`;
}

export interface HugepageFiles {
  readonly usage: string;
  /** Absent in version 2, which keeps no peak: it is at least what is used now. */
  readonly peak?: string;
}

/**
 * @param read one file of the group
 * @param nameFiles how its files for one size are called
 */
export function readHugepages(
  pageSizes: readonly string[],
  read: (name: string) => string | undefined,
  nameFiles: (pageSize: string) => HugepageFiles,
): HugepageUsage[] {
  return pageSizes.map((pageSize) => {
    const { usage, peak } = nameFiles(pageSize);
    const usageBytes = toCount(read(usage));
    return { pageSize, usageBytes, peakBytes: peak === undefined ? usageBytes : toCount(read(peak)) };
  });
}
