// Processes, what they hold, and for what they wait.

import type { Pressure } from '../usage.ts';
import type { GroupSubject } from './group-subject.ts';
import { counter, gauge, sample, type Metric } from './metric.ts';

export const PROCESS_METRICS: readonly Metric<GroupSubject>[] = [
  gauge('container_processes', 'Processes.', ({ usage }) => usage.processes),
  gauge('container_threads', 'Threads.', ({ usage }) => usage.detail.processes.threads),
  gauge(
    'container_threads_max',
    'How many threads there may be; 0 for any number.',
    ({ usage }) => usage.detail.limits.threads,
  ),
  gauge(
    'container_file_descriptors',
    'Open file descriptors, sockets included.',
    ({ usage }) => usage.detail.processes.openFiles,
  ),
  gauge('container_sockets', 'Open sockets.', ({ usage }) => usage.detail.processes.sockets),
  {
    name: 'container_ulimits_soft',
    help: 'Limits of the first process; 0 for none.',
    kind: 'gauge',
    labelKeys: ['ulimit'],
    read: ({ usage }) => [sample(usage.detail.processes.maxOpenFiles ?? 0, 'max_open_files')],
  },
];

const US_PER_S = 1e6;

export const PRESSURE_METRICS: readonly Metric<GroupSubject>[] = [
  ...pressure('cpu', 'a processor', ({ usage }) => usage.cpu.pressure),
  ...pressure('memory', 'memory', ({ usage }) => usage.memory.pressure),
  ...pressure('io', 'a disk', ({ usage }) => usage.ioPressure),
];

function pressure(
  resource: string,
  words: string,
  of: (subject: GroupSubject) => Pressure | undefined,
): Metric<GroupSubject>[] {
  const name = `container_pressure_${resource}`;
  return [
    counter(
      `${name}_waiting_seconds_total`,
      `Time for which some task waited for ${words}.`,
      (subject) => Number(of(subject)?.some.totalUs ?? 0n) / US_PER_S,
    ),
    counter(
      `${name}_stalled_seconds_total`,
      `Time for which all tasks waited for ${words}.`,
      (subject) => Number(of(subject)?.full.totalUs ?? 0n) / US_PER_S,
    ),
  ];
}
