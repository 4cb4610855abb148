// Memory of all kinds, and what happened for want of it.

import type { HugepageUsage } from '../usage.ts';
import type { GroupSubject } from './group-subject.ts';
import { counter, gauge, sample, type Metric } from './metric.ts';

export const MEMORY_METRICS: readonly Metric<GroupSubject>[] = [
  gauge(
    'container_memory_usage_bytes',
    'Memory used, page cache included.',
    ({ usage }) => usage.memory.usageBytes,
  ),
  gauge(
    'container_memory_working_set_bytes',
    'Memory used, without file pages that have not been used for long.',
    ({ usage }) => usage.memory.workingSetBytes,
  ),
  gauge('container_memory_rss', 'Anonymous memory, in bytes.', ({ usage }) => usage.memory.rssBytes),
  gauge('container_memory_cache', 'Page cache, in bytes.', ({ usage }) => usage.detail.memory.cacheBytes),
  gauge(
    'container_memory_mapped_file',
    'Mapped files, in bytes.',
    ({ usage }) => usage.detail.memory.mappedFileBytes,
  ),
  gauge(
    'container_memory_kernel_usage',
    'Memory of the kernel, in bytes.',
    ({ usage }) => usage.detail.memory.kernelBytes,
  ),
  gauge('container_memory_swap', 'Swap used, in bytes.', ({ usage }) => usage.swap?.usageBytes ?? 0n),
  gauge(
    'container_memory_max_usage_bytes',
    'The most memory that was ever used.',
    ({ usage }) => usage.detail.memory.peakBytes,
  ),
  counter(
    'container_memory_failcnt',
    'How often the memory limit was met.',
    ({ usage }) => usage.detail.memory.limitHits,
  ),
  {
    name: 'container_memory_failures_total',
    help: 'Page faults.',
    kind: 'counter',
    labelKeys: ['failure_type', 'scope'],
    read: ({ usage: { memory, detail } }) => [
      sample(detail.memory.ownPageFaults, 'pgfault', 'container'),
      sample(detail.memory.ownMajorPageFaults, 'pgmajfault', 'container'),
      sample(memory.pageFaults, 'pgfault', 'hierarchy'),
      sample(memory.majorPageFaults, 'pgmajfault', 'hierarchy'),
    ],
  },
  counter(
    'container_oom_events_total',
    'Processes killed for want of memory.',
    ({ usage }) => usage.detail.memory.oomKills,
  ),
  hugepages('container_hugetlb_usage_bytes', 'Huge pages used.', ({ usageBytes }) => usageBytes),
  hugepages(
    'container_hugetlb_max_usage_bytes',
    'The most huge pages ever used; with cgroup v2, those used now.',
    ({ peakBytes }) => peakBytes,
  ),
];

function hugepages(
  name: string,
  help: string,
  value: (usage: HugepageUsage) => bigint,
): Metric<GroupSubject> {
  return {
    name,
    help,
    kind: 'gauge',
    labelKeys: ['pagesize'],
    read: ({ usage }) => usage.detail.hugepages.map((each) => sample(value(each), each.pageSize)),
  };
}
