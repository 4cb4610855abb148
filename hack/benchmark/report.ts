// What was measured, as a table for people and as JSON for programs.

import { STEPS } from './pod.ts';
import { readyMs, type BatchSample, type MemorySample, type PodSample } from './rounds.ts';
import { summarize, type Summary } from './statistics.ts';

export interface Measured {
  readonly runtime: string;
  readonly pods: readonly PodSample[];
  readonly batches: readonly BatchSample[];
  readonly memory: MemorySample | undefined;
}

interface Row {
  readonly label: string;
  readonly unit: string;
  readonly summary: Summary;
}

interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Everything as medians with p10 and p90, by section and label. */
export function reportJson(measured: readonly Measured[]): object {
  return measured.map((each) => ({
    runtime: each.runtime,
    sections: sections(each).map(({ title, rows }) => ({
      title,
      rows: rows.map(({ label, unit, summary }) => ({ label, unit, ...summary })),
    })),
    programsPerPod: each.memory === undefined ? {} : perPodPrograms(each.memory),
  }));
}

/** One line per figure; with two runtimes the last column is the first divided by the second. */
export function reportTable(measured: readonly Measured[]): string {
  const all = measured.map(sections);
  const lines: string[] = [];
  for (const [at, section] of (all[0] ?? []).entries()) {
    const head = measured.map(({ runtime }) => runtime.padStart(28)).join('');
    lines.push('', `${section.title.padEnd(34)}${head}${measured.length > 1 ? '    ratio' : ''}`);
    for (const { label, unit } of rowsOfAll(all.map((each) => each[at]))) {
      const found = all.map((each) => each[at]?.rows.find((row) => row.label === label)?.summary);
      lines.push(`  ${`${label}, ${unit}`.padEnd(32)}${found.map(cell).join('')}${ratio(found)}`);
    }
  }
  for (const { runtime, memory } of measured) {
    if (memory !== undefined) lines.push('', `  per pod, ${runtime}: ${describe(perPodPrograms(memory))}`);
  }
  return [
    ...lines,
    '',
    '  median (p10 to p90); a ratio below 1 means that the first runtime takes less',
    '',
  ].join('\n');
}

/** Each row once: of one runtime more may be known than of the other. */
function rowsOfAll(found: readonly (Section | undefined)[]): readonly Row[] {
  const longest = found.map((section) => section?.rows ?? []).sort((a, b) => b.length - a.length);
  return longest[0] ?? [];
}

function sections(measured: Measured): Section[] {
  const { pods, batches, memory } = measured;
  const result = [
    { title: `${pods.length} pods, one by one`, rows: sequentialRows(pods) },
    { title: `CPU time per pod`, rows: cpuRows(pods) },
  ];
  if (batches.length > 0) {
    const width = batches[0]?.readyMs.length ?? 0;
    result.push({ title: `${batches.length} times ${width} pods at once`, rows: wideRows(batches, width) });
  }
  if (memory !== undefined) result.push({ title: `memory, ${memory.pods} pods`, rows: memoryRows(memory) });
  return result;
}

function sequentialRows(pods: readonly PodSample[]): Row[] {
  const rows = STEPS.flatMap((step) =>
    row(
      step,
      'ms',
      pods.map(({ took }) => took.find((each) => each.step === step)?.wallMs),
    ),
  );
  const ready = row(
    'pod ready',
    'ms',
    pods.map(({ took }) => readyMs(took)),
  );
  const removed = row(
    'pod gone',
    'ms',
    pods.map(({ took }) => took.slice(4).reduce((total, { wallMs }) => total + wallMs, 0)),
  );
  return [...ready, ...rows.slice(0, 4), ...removed, ...rows.slice(4)];
}

function cpuRows(pods: readonly PodSample[]): Row[] {
  const cpuOf = (from: number, to: number) => (pod: PodSample) =>
    pod.took.slice(from, to).reduce<number | undefined>((total, { cpuMs }) => {
      return total === undefined || cpuMs === undefined ? undefined : total + cpuMs;
    }, 0);
  return [
    ...row('until ready, all it started', 'ms', pods.map(cpuOf(0, 3))),
    ...row('one exec, all it started', 'ms', pods.map(cpuOf(3, 4))),
    ...row(
      'whole life, all it started',
      'ms',
      pods.map((pod) => pod.groupCpuMs),
    ),
    ...row('whole life, daemon + children', 'ms', [mean(pods.map((pod) => pod.daemonCpuMs))]),
    ...row('whole life, whole machine', 'ms', [mean(pods.map((pod) => pod.machineCpuMs))]),
  ];
}

function wideRows(batches: readonly BatchSample[], width: number): Row[] {
  const perPod = (total: number | undefined): number | undefined =>
    total === undefined ? undefined : total / width;
  return [
    ...row(
      'pod ready',
      'ms',
      batches.flatMap(({ readyMs: each }) => each),
    ),
    ...row(
      'all ready',
      'ms',
      batches.map(({ allReadyMs }) => allReadyMs),
    ),
    ...row(
      'all gone',
      'ms',
      batches.map(({ allRemovedMs }) => allRemovedMs),
    ),
    ...row(
      'CPU per pod until ready',
      'ms',
      batches.map(({ groupCpuMs }) => perPod(groupCpuMs)),
    ),
    ...row('machine CPU per pod until ready', 'ms', [
      mean(batches.map((batch) => perPod(batch.machineCpuMs))),
    ]),
  ];
}

function memoryRows({ daemonBeforeKib, daemonWithPodsKib, perPod, pods }: MemorySample): Row[] {
  const mib = (kib: number | undefined): number | undefined => (kib === undefined ? undefined : kib / 1024);
  return [
    ...row('daemon before', 'MiB PSS', [mib(daemonBeforeKib)]),
    ...row('daemon with the pods', 'MiB PSS', [mib(daemonWithPodsKib)]),
    ...row('processes for one pod', 'MiB PSS', [mib(perPod.totalKib / pods)]),
  ];
}

/** No row when a value could not be had. */
function row(label: string, unit: string, values: readonly (number | undefined)[]): Row[] {
  const known = values.filter((value) => value !== undefined);
  const summary = known.length === values.length ? summarize(known) : undefined;
  return summary === undefined ? [] : [{ label, unit, summary }];
}

/** For what /proc counts in hundredths of a second: only the sum over many pods means something. */
function mean(values: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    total += value;
  }
  return total / values.length;
}

function cell(summary: Summary | undefined): string {
  if (summary === undefined) return '-'.padStart(28);
  const { median, p10, p90, count } = summary;
  const range = count > 1 ? `(${digits(p10)} to ${digits(p90)})` : '';
  return `${digits(median).padStart(11)} ${range.padEnd(16)}`;
}

function ratio(found: readonly (Summary | undefined)[]): string {
  const [first, second] = found;
  if (first === undefined || second === undefined || second.median === 0) return '';
  return (first.median / second.median).toFixed(2).padStart(9);
}

/** Three that count: 0.412, 5.13, 74.2, 1312. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function perPodPrograms({ perPod, pods }: MemorySample): Record<string, number> {
  return Object.fromEntries(Object.entries(perPod.programs).map(([name, count]) => [name, count / pods]));
}

function describe(programs: Record<string, number>): string {
  const parts = Object.entries(programs).map(([name, count]) => `${count} ${name}`);
  return parts.length === 0 ? 'no process' : parts.join(', ');
}
