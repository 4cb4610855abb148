// Execs as fast as the machine takes them, for minutes, while memory, descriptors and processes are counted.

import { readdirSync } from 'node:fs';
import { pssKib } from './memory.ts';
import { slope } from './statistics.ts';
import { drainExec } from './stream-client.ts';
import type { Target } from './target.ts';

const SAMPLE_INTERVAL_MS = 5000;

/** What the heap has grown to by then is no leak. */
const WARM_UP_SHARE = 0.3;

type Measure = 'memoryMib' | 'descriptors' | 'processes';
type Sample = Readonly<Record<Measure, number>> & { readonly minute: number };

export interface Endurance {
  readonly execs: number;
  readonly perSecond: number;
  /** At the beginning and the end, and the trend per minute after warming up. */
  readonly trends: Readonly<
    Record<Measure, { readonly first: number; readonly last: number; readonly slope: number }>
  >;
}

export async function endure(
  target: Target,
  containerId: string,
  { minutes, width }: { readonly minutes: number; readonly width: number },
): Promise<Endurance> {
  const startedAt = performance.now();
  const minute = (): number => (performance.now() - startedAt) / 60_000;
  const samples: Sample[] = [await sample(target, 0)];
  let execs = 0;
  const work = async (): Promise<void> => {
    while (minute() < minutes) {
      await drainExec(target, containerId, ['true']);
      execs++;
    }
  };
  const watch = setInterval(() => {
    void sample(target, minute()).then((taken) => samples.push(taken)); // it never rejects
  }, SAMPLE_INTERVAL_MS);
  await Promise.all(Array.from({ length: width }, work));
  clearInterval(watch);
  const perSecond = execs / (minute() * 60);
  samples.push(await sample(target, minute()));
  const warm = samples.filter((taken) => taken.minute >= minutes * WARM_UP_SHARE);
  const trend = (measure: Measure) => ({
    first: samples[0]?.[measure] ?? 0,
    last: samples.at(-1)?.[measure] ?? 0,
    slope: slope(warm.map((taken) => [taken.minute, taken[measure]])),
  });
  const [memoryMib, descriptors, processes] = [trend('memoryMib'), trend('descriptors'), trend('processes')];
  return { execs, perSecond, trends: { memoryMib, descriptors, processes } };
}

async function sample({ daemonPid = 0, group }: Target, minute: number): Promise<Sample> {
  return {
    minute,
    memoryMib: ((await pssKib(daemonPid)) ?? 0) / 1024,
    descriptors: countEntries(`/proc/${daemonPid}/fd`),
    processes: group?.processes() ?? 0,
  };
}

function countEntries(dir: string): number {
  try {
    return readdirSync(dir).length;
  } catch {
    return 0;
  }
}
