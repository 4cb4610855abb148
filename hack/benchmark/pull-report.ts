// What was measured of pulls, as a table and as JSON.

import type { PullSample } from './pull-sample.ts';
import { summarize, type Summary } from './statistics.ts';

export interface PulledBy {
  readonly runtime: string;
  readonly cold: readonly PullSample[];
  readonly shared: readonly PullSample[];
}

const ROWS: readonly (readonly [label: string, value: (sample: PullSample) => number | undefined])[] = [
  ['time, s', ({ wallMs }) => wallMs / 1000],
  ['CPU time, all it started, s', ({ cpuMs }) => cpuMs / 1000],
  ['peak memory of the daemon, MiB', ({ peakMib }) => peakMib],
  ['slowest answer meanwhile, ms', ({ slowestAnswerMs }) => slowestAnswerMs],
  ['event loop late, at most, ms', ({ loopDelayMs }) => loopDelayMs],
];

const SECTIONS = ['cold', 'shared'] as const;
const TITLES = { cold: 'cold', shared: 'three of four layers are here' } as const;

/** Median, p10 and p90 of each figure. */
export function pullReportJson(pulled: readonly PulledBy[]): object {
  return pulled.map((each) => ({
    runtime: each.runtime,
    ...Object.fromEntries(
      SECTIONS.map((section) => [
        section,
        ROWS.map(([label, value]) => ({ label, ...summarize(known(each[section].map(value))) })),
      ]),
    ),
  }));
}

/** With two runtimes the last column is the first divided by the second. */
export function pullReportTable(pulled: readonly PulledBy[]): string {
  const lines: string[] = [];
  for (const section of SECTIONS) {
    const head = pulled.map(({ runtime }) => runtime.padStart(28)).join('');
    lines.push('', `${TITLES[section].padEnd(34)}${head}${pulled.length > 1 ? '    ratio' : ''}`);
    for (const [label, value] of ROWS) {
      const found = pulled.map((each) => summarize(known(each[section].map(value))));
      lines.push(`  ${label.padEnd(32)}${found.map(cell).join('')}${ratio(found)}`);
    }
  }
  return [...lines, '', '  median (p10 to p90)', ''].join('\n');
}

function known(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}

function cell(summary: Summary | undefined): string {
  if (summary === undefined) return '-'.padStart(28);
  const { median, p10, p90 } = summary;
  return `${median.toPrecision(3).padStart(11)} ${`(${p10.toPrecision(3)} to ${p90.toPrecision(3)})`.padEnd(16)}`;
}

function ratio([first, second]: readonly (Summary | undefined)[]): string {
  if (first === undefined || second === undefined || second.median === 0) return '';
  return (first.median / second.median).toFixed(2).padStart(9);
}
