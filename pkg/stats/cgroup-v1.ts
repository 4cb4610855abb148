// A control group of version 1: one directory per controller. Source: Documentation/admin-guide/cgroup-v1.

import { parseBlkio } from './block-devices.ts';
import type { V1Controller } from './cgroup-roots.ts';
import { counterOf, toCount, toLimit } from './counters.ts';
import type { GroupReadOptions } from './group-read-options.ts';
import { readHugepages } from './hugepages.ts';
import { openFilesOf, pidsIn } from './processes.ts';
import type { GroupDetail, GroupLimits, GroupUsage, MemoryDetail, SwapUsage } from './usage.ts';

/** cpuacct.stat counts in ticks, of which every Linux has 100 a second. */
const NS_PER_TICK = 10_000_000n;

type Read = (controller: V1Controller, name: string) => string | undefined;

export type V1Roots = Readonly<Partial<Record<V1Controller, string>>>;

/**
 * @param path under the root of every hierarchy
 * @returns `undefined` if there is no such group
 */
export function readGroupV1(
  options: GroupReadOptions,
  roots: V1Roots,
  path: string,
): Omit<GroupUsage, 'takenAtNs'> | undefined {
  const { files, detailed } = options;
  const read: Read = (controller, name) => {
    const root = roots[controller];
    return root === undefined ? undefined : files.read(`${root}${path}/${name}`);
  };
  const cpuUsage = read('cpuacct', 'cpuacct.usage');
  const memoryStat = read('memory', 'memory.stat');
  if (cpuUsage === undefined && memoryStat === undefined) return undefined;
  const ticks = read('cpuacct', 'cpuacct.stat');
  const usageBytes = toCount(read('memory', 'memory.usage_in_bytes'));
  const limitBytes = toLimit(read('memory', 'memory.limit_in_bytes'));
  const inactive = counterOf(memoryStat, 'total_inactive_file');
  const memoryAndSwap = read('memory', 'memory.memsw.limit_in_bytes');
  const pids = pidsIn(files, `${roots.pids ?? roots.memory ?? roots.cpuacct ?? ''}${path}`);
  return {
    cpu: {
      usageNs: toCount(cpuUsage),
      userNs: counterOf(ticks, 'user') * NS_PER_TICK,
      systemNs: counterOf(ticks, 'system') * NS_PER_TICK,
    },
    memory: {
      usageBytes,
      workingSetBytes: usageBytes > inactive ? usageBytes - inactive : 0n,
      rssBytes: counterOf(memoryStat, 'total_rss'),
      pageFaults: counterOf(memoryStat, 'total_pgfault'),
      majorPageFaults: counterOf(memoryStat, 'total_pgmajfault'),
      limitBytes,
    },
    swap: toSwap(memoryAndSwap, memoryStat, limitBytes),
    processes: pids.length,
    detail: detailed ? readDetail(options, read, { memoryStat, memoryAndSwap, pids }) : undefined,
  };
}

/** Swap has no limit of its own here: there is one for memory and swap together. */
function toSwap(
  together: string | undefined,
  memoryStat: string | undefined,
  memoryLimit: bigint | undefined,
): SwapUsage | undefined {
  if (together === undefined) return undefined; // the kernel does not count swap
  const limit = toLimit(together);
  const hasLimit = limit !== undefined && memoryLimit !== undefined && limit >= memoryLimit;
  return {
    usageBytes: counterOf(memoryStat, 'total_swap'),
    limitBytes: hasLimit ? limit - memoryLimit : undefined,
  };
}

/** What the rest of a usage is made of too. */
interface ReadAlready {
  readonly memoryStat: string | undefined;
  readonly memoryAndSwap: string | undefined;
  readonly pids: readonly number[];
}

function readDetail(
  { files, pageSizes }: GroupReadOptions,
  read: Read,
  { memoryStat, memoryAndSwap, pids }: ReadAlready,
): GroupDetail {
  const cpuStat = read('cpu', 'cpu.stat');
  return {
    throttling: {
      periods: counterOf(cpuStat, 'nr_periods'),
      throttledPeriods: counterOf(cpuStat, 'nr_throttled'),
      throttledNs: counterOf(cpuStat, 'throttled_time'),
    },
    memory: readMemory(read, memoryStat),
    limits: readLimits(read, memoryAndSwap),
    processes: { threads: toCount(read('pids', 'pids.current')), ...openFilesOf(files, pids) },
    devices: parseBlkio(files, read('blkio', 'blkio.throttle.io_service_bytes_recursive'), () =>
      read('blkio', 'blkio.throttle.io_serviced_recursive'),
    ),
    hugepages: readHugepages(
      pageSizes,
      (name) => read('hugetlb', name),
      (size) => ({ usage: `hugetlb.${size}.usage_in_bytes`, peak: `hugetlb.${size}.max_usage_in_bytes` }),
    ),
  };
}

function readMemory(read: Read, memoryStat: string | undefined): MemoryDetail {
  return {
    cacheBytes: counterOf(memoryStat, 'total_cache'),
    mappedFileBytes: counterOf(memoryStat, 'total_mapped_file'),
    kernelBytes: toCount(read('memory', 'memory.kmem.usage_in_bytes')),
    peakBytes: toCount(read('memory', 'memory.max_usage_in_bytes')),
    limitHits: toCount(read('memory', 'memory.failcnt')),
    oomKills: counterOf(read('memory', 'memory.oom_control'), 'oom_kill'),
    ownPageFaults: counterOf(memoryStat, 'pgfault'),
    ownMajorPageFaults: counterOf(memoryStat, 'pgmajfault'),
  };
}

function readLimits(read: Read, memoryAndSwap: string | undefined): GroupLimits {
  return {
    cpuPeriodUs: toCount(read('cpu', 'cpu.cfs_period_us')),
    cpuQuotaUs: toLimit(read('cpu', 'cpu.cfs_quota_us')) ?? 0n,
    cpuShares: toCount(read('cpu', 'cpu.shares')),
    memoryReservationBytes: toLimit(read('memory', 'memory.soft_limit_in_bytes')) ?? 0n,
    memorySwapBytes: toLimit(memoryAndSwap) ?? 0n,
    threads: toLimit(read('pids', 'pids.max')) ?? 0n,
  };
}
