// What a container may use at most, as the kernel has it.

import type { GroupSubject } from './group-subject.ts';
import { gauge, type Metric } from './metric.ts';

export const SPEC_METRICS: readonly Metric<GroupSubject>[] = [
  gauge(
    'container_spec_cpu_period',
    'Length of the period of the processor quota, in microseconds.',
    ({ usage }) => usage.detail.limits.cpuPeriodUs,
  ),
  gauge(
    'container_spec_cpu_quota',
    'Processor time in each period, in microseconds; 0 for no quota.',
    ({ usage }) => usage.detail.limits.cpuQuotaUs,
  ),
  gauge(
    'container_spec_cpu_shares',
    'Share of the processor time beside others.',
    ({ usage, cpuShares }) => cpuShares ?? usage.detail.limits.cpuShares,
  ),
  gauge(
    'container_spec_memory_limit_bytes',
    'Memory limit; 0 for none.',
    ({ usage }) => usage.memory.limitBytes ?? 0n,
  ),
  gauge(
    'container_spec_memory_reservation_limit_bytes',
    'Memory that is kept for it; 0 for none.',
    ({ usage }) => usage.detail.limits.memoryReservationBytes,
  ),
  gauge(
    'container_spec_memory_swap_limit_bytes',
    'Swap limit, with cgroup v1 of memory and swap together; 0 for none.',
    ({ usage }) => usage.detail.limits.memorySwapBytes,
  ),
];
