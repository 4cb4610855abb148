// Processor time, and how it is held back.

import type { GroupSubject } from './group-subject.ts';
import { counter, sample, toSeconds, type Metric } from './metric.ts';

export const CPU_METRICS: readonly Metric<GroupSubject>[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    help: 'Processor time used, of all processors together.',
    kind: 'counter',
    labelKeys: ['cpu'],
    read: ({ usage }) => [sample(toSeconds(usage.cpu.usageNs), 'total')],
  },
  counter('container_cpu_user_seconds_total', 'Processor time used outside the kernel.', ({ usage }) =>
    toSeconds(usage.cpu.userNs),
  ),
  counter('container_cpu_system_seconds_total', 'Processor time used in the kernel.', ({ usage }) =>
    toSeconds(usage.cpu.systemNs),
  ),
  counter(
    'container_cpu_cfs_periods_total',
    'Periods in which the processor quota was applied.',
    ({ usage }) => usage.detail.throttling.periods,
  ),
  counter(
    'container_cpu_cfs_throttled_periods_total',
    'Periods in which the processor quota was used up.',
    ({ usage }) => usage.detail.throttling.throttledPeriods,
  ),
  counter(
    'container_cpu_cfs_throttled_seconds_total',
    'Time for which processes were held back by the processor quota.',
    ({ usage }) => toSeconds(usage.detail.throttling.throttledNs),
  ),
];
