// Several groups as one: of a pod whose containers have no group of their own around them.

import type { GroupUsage } from './usage.ts';

/**
 * What all of them use together. Pressure cannot be added, and the limit of the sum is not the sum of the limits:
 * both are absent. Its time is that of the oldest.
 *
 * @returns `undefined` for none
 */
export function sumUsages(usages: readonly GroupUsage[]): GroupUsage | undefined {
  const [first] = usages;
  if (first === undefined) return undefined;
  const sum = (value: (usage: GroupUsage) => bigint) =>
    usages.reduce((total, usage) => total + value(usage), 0n);
  const areRated = usages.every(({ cpu }) => cpu.nanoCores !== undefined);
  const haveSwap = usages.every(({ swap }) => swap !== undefined);
  return {
    takenAtNs: usages.reduce(
      (oldest, { takenAtNs }) => (takenAtNs < oldest ? takenAtNs : oldest),
      first.takenAtNs,
    ),
    cpu: {
      usageNs: sum(({ cpu }) => cpu.usageNs),
      userNs: sum(({ cpu }) => cpu.userNs),
      systemNs: sum(({ cpu }) => cpu.systemNs),
      nanoCores: areRated ? sum(({ cpu }) => cpu.nanoCores ?? 0n) : undefined,
    },
    memory: {
      usageBytes: sum(({ memory }) => memory.usageBytes),
      workingSetBytes: sum(({ memory }) => memory.workingSetBytes),
      rssBytes: sum(({ memory }) => memory.rssBytes),
      pageFaults: sum(({ memory }) => memory.pageFaults),
      majorPageFaults: sum(({ memory }) => memory.majorPageFaults),
    },
    swap: haveSwap ? { usageBytes: sum(({ swap }) => swap?.usageBytes ?? 0n) } : undefined,
    processes: usages.reduce((total, { processes }) => total + processes, 0),
  };
}
