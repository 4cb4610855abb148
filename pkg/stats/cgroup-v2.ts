// A control group of version 2. Source: Documentation/admin-guide/cgroup-v2.rst.

import { counterOf, parsePressure, toCount, toLimit } from './counters.ts';
import { parseIoStat } from './block-devices.ts';
import type { GroupReadOptions } from './group-read-options.ts';
import { readHugepages } from './hugepages.ts';
import { openFilesOf, pidsIn } from './processes.ts';
import type { GroupDetail, GroupLimits, GroupUsage, SwapUsage } from './usage.ts';

const NS_PER_US = 1000n;

interface Texts {
  readonly read: (name: string) => string | undefined;
  readonly cpuStat: string;
  readonly memoryStat: string | undefined;
  readonly memoryCurrent: bigint;
  readonly pids: readonly number[];
}

/** @returns `undefined` if there is no such group */
export function readGroupV2(
  options: GroupReadOptions,
  dir: string,
): Omit<GroupUsage, 'takenAtNs'> | undefined {
  const { files, detailed } = options;
  const read = (name: string): string | undefined => files.read(`${dir}/${name}`);
  const cpuStat = read('cpu.stat');
  if (cpuStat === undefined) return undefined;
  const memoryStat = read('memory.stat');
  const usageBytes = toCount(read('memory.current'));
  const inactive = counterOf(memoryStat, 'inactive_file');
  const texts = { read, cpuStat, memoryStat, memoryCurrent: usageBytes, pids: pidsIn(files, dir) };
  return {
    cpu: {
      usageNs: counterOf(cpuStat, 'usage_usec') * NS_PER_US,
      userNs: counterOf(cpuStat, 'user_usec') * NS_PER_US,
      systemNs: counterOf(cpuStat, 'system_usec') * NS_PER_US,
      pressure: parsePressure(read('cpu.pressure')),
    },
    memory: {
      usageBytes,
      workingSetBytes: usageBytes > inactive ? usageBytes - inactive : 0n,
      rssBytes: counterOf(memoryStat, 'anon'),
      pageFaults: counterOf(memoryStat, 'pgfault'),
      majorPageFaults: counterOf(memoryStat, 'pgmajfault'),
      limitBytes: toLimit(read('memory.max')),
      pressure: parsePressure(read('memory.pressure')),
    },
    swap: readSwap(read),
    ioPressure: parsePressure(read('io.pressure')),
    processes: texts.pids.length,
    detail: detailed ? readDetail(options, texts) : undefined,
  };
}

function readSwap(read: Texts['read']): SwapUsage | undefined {
  const usage = read('memory.swap.current');
  if (usage === undefined) return undefined;
  return { usageBytes: toCount(usage), limitBytes: toLimit(read('memory.swap.max')) };
}

function readDetail({ files, pageSizes }: GroupReadOptions, texts: Texts): GroupDetail {
  const { read, cpuStat, memoryStat, memoryCurrent, pids } = texts;
  const events = read('memory.events');
  return {
    throttling: {
      periods: counterOf(cpuStat, 'nr_periods'),
      throttledPeriods: counterOf(cpuStat, 'nr_throttled'),
      throttledNs: counterOf(cpuStat, 'throttled_usec') * NS_PER_US,
    },
    memory: {
      cacheBytes: counterOf(memoryStat, 'file'),
      mappedFileBytes: counterOf(memoryStat, 'file_mapped'),
      kernelBytes: counterOf(memoryStat, 'kernel'),
      peakBytes: toCount(read('memory.peak') ?? String(memoryCurrent)), // before Linux 5.19: at least this
      limitHits: counterOf(events, 'max'),
      oomKills: counterOf(events, 'oom_kill'),
      ownPageFaults: counterOf(memoryStat, 'pgfault'),
      ownMajorPageFaults: counterOf(memoryStat, 'pgmajfault'),
    },
    limits: readLimits(read),
    processes: { threads: toCount(read('pids.current')), ...openFilesOf(files, pids) },
    devices: parseIoStat(files, read('io.stat')),
    hugepages: readHugepages(pageSizes, read, (size) => ({ usage: `hugetlb.${size}.current` })),
  };
}

function readLimits(read: Texts['read']): GroupLimits {
  const [quota, period] = (read('cpu.max') ?? '').trim().split(' ');
  return {
    cpuPeriodUs: toCount(period),
    cpuQuotaUs: toLimit(quota) ?? 0n,
    cpuShares: toShares(toCount(read('cpu.weight'))),
    memoryReservationBytes: toLimit(read('memory.min')) ?? 0n,
    memorySwapBytes: toLimit(read('memory.swap.max')) ?? 0n,
    threads: toLimit(read('pids.max')) ?? 0n,
  };
}

/** The way back from cpu.weight, 1 to 10000, to cpu.shares, 2 to 262144: what OCI runtimes began with. */
function toShares(weight: bigint): bigint {
  return weight === 0n ? 0n : 2n + ((weight - 1n) * 262142n) / 9999n;
}
