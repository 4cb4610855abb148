// What it costs to ask for the usage of all containers, as a table and as JSON.

import type { Question, StatsSample } from './stats-sample.ts';
import { quantileOf } from './statistics.ts';

/** What one runtime was asked, with so many containers. */
export interface Asked {
  readonly runtime: string;
  readonly containers: number;
  readonly pods: number;
  readonly question: Question;
  readonly samples: readonly StatsSample[];
  readonly delaysMs: readonly number[];
}

type Figure = readonly [label: string, value: (asked: Asked) => number | undefined];

const FIGURES: readonly Figure[] = [
  ['p50, ms', ({ samples }) => quantile(samples, 0.5)],
  ['p99', ({ samples }) => quantile(samples, 0.99)],
  ['max', ({ samples }) => quantile(samples, 1)],
  ['CPU, ms', ({ samples }) => mean(samples.map(({ cpuMs }) => cpuMs))],
  ['main', ({ samples }) => mean(samples.map(({ mainMs }) => mainMs))],
  ['sampler', ({ samples }) => mean(samples.map(({ samplerMs }) => samplerMs))],
  ['delay', ({ delaysMs }) => Math.max(...delaysMs)],
  ['KiB', ({ samples }) => mean(samples.map(({ bytes }) => bytes / 1024))],
];

export function statsReportJson(asked: readonly Asked[]): object {
  return asked.map((each) => ({
    runtime: each.runtime,
    containers: each.containers,
    pods: each.pods,
    question: each.question,
    ...Object.fromEntries(FIGURES.map(([label, value]) => [label, value(each)])),
  }));
}

export function statsReportTable(asked: readonly Asked[]): string {
  const lines = Map.groupBy(asked, ({ containers, pods }) => `${containers} containers in ${pods} pods`)
    .entries()
    .flatMap(([title, group]) => ['', heading(title), ...group.map(line)]);
  return [
    ...lines,
    '',
    '  CPU: everything that the runtime started, on average; main, sampler: of it these threads of davit.',
    '  delay: the slowest answer to Version meanwhile.',
    '',
  ].join('\n');
}

function heading(title: string): string {
  return title.padEnd(44) + FIGURES.map(([label]) => label.padStart(9)).join('');
}

function line(asked: Asked): string {
  const name = `  ${asked.question}, ${asked.runtime}`.padEnd(44);
  return name + FIGURES.map(([, value]) => digits(value(asked)).padStart(9)).join('');
}

function digits(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function quantile(samples: readonly StatsSample[], q: number): number {
  return quantileOf(
    samples.map(({ wallMs }) => wallMs),
    q,
  );
}

/** @returns `undefined` when one of them is not known */
function mean(values: readonly (number | undefined)[]): number | undefined {
  let total = 0;
  for (const value of values) {
    if (value === undefined) return undefined;
    total += value;
  }
  return total / values.length;
}
