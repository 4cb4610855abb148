// All metrics of pods and containers.

import { CPU_METRICS } from './cpu.ts';
import { DISK_METRICS } from './disk.ts';
import type { GroupSubject } from './group-subject.ts';
import { LIFE_METRICS } from './life.ts';
import { MEMORY_METRICS } from './memory.ts';
import type { Metric } from './metric.ts';
import { NETWORK_METRICS } from './network.ts';
import { PRESSURE_METRICS, PROCESS_METRICS } from './process.ts';
import { SPEC_METRICS } from './spec.ts';

/** Of a container, or of what runs in a pod beside its containers. */
export const GROUP_METRICS: readonly Metric<GroupSubject>[] = [
  ...CPU_METRICS,
  ...MEMORY_METRICS,
  ...DISK_METRICS,
  ...PROCESS_METRICS,
  ...SPEC_METRICS,
  ...PRESSURE_METRICS,
];

/** The labels that all have, in front of their own. The pod as a whole has the container `POD`. */
export const BASE_LABEL_KEYS: readonly string[] = ['id', 'image', 'namespace', 'pod', 'container'];

export const METRIC_DESCRIPTIONS: readonly Omit<Metric<never>, 'read'>[] = [
  ...GROUP_METRICS,
  ...NETWORK_METRICS,
  ...LIFE_METRICS,
];
