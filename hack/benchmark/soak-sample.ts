// What a daemon takes at a moment, and what of it is a trend.

import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { pssKib } from './memory.ts';
import { slope } from './statistics.ts';
import type { Target } from './target.ts';

export const MEASURES = [
  'pssKib',
  'rssKib',
  'heapKib',
  'descriptors',
  'threads',
  'processes',
  'cgroups',
] as const;
export type Measure = (typeof MEASURES)[number];
export type SoakSample = Readonly<Record<Measure, number>> & { readonly minute: number };

export interface Trend {
  readonly first: number;
  readonly last: number;
  readonly most: number;
  /** Per minute, of the line with the least squares through what was seen after warming up. */
  readonly slope: number;
}

export async function sample(target: Target, minute: number): Promise<SoakSample> {
  const { daemonPid: pid = 0, group } = target;
  return {
    minute,
    pssKib: (await pssKib(pid)) ?? 0,
    rssKib: statusField(pid, 'VmRSS'),
    heapKib: (await heapBytes(target.metrics)) / 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: statusField(pid, 'Threads'),
    processes: group?.processes() ?? 0,
    cgroups: group?.groups() ?? 0,
  };
}

/** What the heap has grown to by then is no leak. */
const WARM_UP_SHARE = 0.3;

export function trendsOf(samples: readonly SoakSample[]): Readonly<Record<Measure, Trend>> {
  const end = samples.at(-1)?.minute ?? 0;
  const warm = samples.filter(({ minute }) => minute >= end * WARM_UP_SHARE);
  const trend = (measure: Measure): Trend => ({
    first: warm[0]?.[measure] ?? NaN,
    last: warm.at(-1)?.[measure] ?? NaN,
    most: Math.max(...samples.map((taken) => taken[measure])),
    slope: slope(warm.map((taken) => [taken.minute, taken[measure]])),
  });
  return Object.fromEntries(MEASURES.map((measure) => [measure, trend(measure)])) as Record<Measure, Trend>; // all of them
}

/** `VmRSS:	  51234 kB`, `Threads:	14`. Source: proc_pid_status(5). */
function statusField(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
}

async function heapBytes(socketPath: string | undefined): Promise<number> {
  if (socketPath === undefined) return 0;
  const asked = request({ socketPath, path: '/metrics' }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return Number(/^davit_heap_bytes (\S+)$/m.exec(await text(answer))?.[1] ?? 0);
}
