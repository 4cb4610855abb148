// hack/bench soak: many pods, probed, listed and replaced for long, while what the daemon takes is watched.

import { setTimeout as delay } from 'node:timers/promises';
import { mountsUnder } from '../../pkg/sys/mountinfo.ts';
import { runBench, say, type BenchRun } from './bench.ts';
import { startRuntime } from './runtimes.ts';
import { SoakLoad, type LoadResult } from './soak-load.ts';
import { parseSoakOptions, SOAK_USAGE, type SoakOptions } from './soak-options.ts';
import { MEASURES, sample, trendsOf, type Measure, type SoakSample, type Trend } from './soak-sample.ts';
import { quantileOf } from './statistics.ts';
import type { Target } from './target.ts';
import type { Workspace } from './workspace.ts';

const SAMPLE_INTERVAL_MS = 5000;
/** Threads end when nothing was asked of them for a while. */
const REST_MS = 60_000;

interface Result {
  readonly options: SoakOptions;
  readonly load: Omit<LoadResult, 'errors'> & { readonly errors: Readonly<Record<string, number>> };
  readonly trends: Readonly<Record<Measure, Trend>>;
  /** Before the first pod, and after the last. */
  readonly atRest: readonly [SoakSample, SoakSample];
  readonly leftOver: readonly string[];
}

/** @returns the exit status */
export async function benchSoak(args: string[]): Promise<number> {
  const command = { name: 'hack/bench soak', usage: SOAK_USAGE, parse: parseSoakOptions };
  const isGood = ({ leftOver, load }: Result): boolean =>
    leftOver.length === 0 && Object.keys(load.errors).length === 0;
  return await runBench({ ...command, measure: soak, toText, toJson: (result) => result, isGood }, args);
}

async function soak(run: BenchRun, options: SoakOptions): Promise<Result> {
  const { handler } = options;
  const { target, workspace } = await startRuntime(run, 'davit', { handler, withMetrics: true });
  const before = await sample(target, 0);
  const load = new SoakLoad(target, run.plan, options);
  say(`starting ${options.pods} pods`);
  await load.begin();
  const { samples, result } = await watch(target, load, options);
  say('removing them');
  await load.end();
  const leftOver = await settle(target, workspace, before);
  const { errors, ...rest } = result;
  return {
    options,
    load: { ...rest, errors: Object.fromEntries(errors) },
    trends: trendsOf(samples),
    atRest: [before, await sample(target, 0)],
    leftOver,
  };
}

async function watch(
  target: Target,
  load: SoakLoad,
  { minutes }: SoakOptions,
): Promise<{ samples: SoakSample[]; result: LoadResult }> {
  say(`asking for ${minutes} minutes`);
  const startedAt = performance.now();
  const samples: SoakSample[] = [];
  const ended = new AbortController();
  const watching = (async () => {
    while (!ended.signal.aborted) {
      samples.push(await sample(target, (performance.now() - startedAt) / 60_000));
      await delay(SAMPLE_INTERVAL_MS, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  const result = await load.run(startedAt + minutes * 60_000);
  ended.abort();
  await watching;
  return { samples, result };
}

/** Waits until it is as before the first pod. @returns what is not */
async function settle(target: Target, workspace: Workspace, before: SoakSample): Promise<string[]> {
  const deadline = performance.now() + REST_MS;
  for (;;) {
    const left = await leftOver(target, workspace, before);
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(1000);
  }
}

async function leftOver(target: Target, { run }: Workspace, before: SoakSample): Promise<string[]> {
  const now = await sample(target, 0);
  const counted = (['descriptors', 'threads', 'processes', 'cgroups'] as const)
    .filter((measure) => now[measure] > before[measure])
    .map((measure) => `${measure}: ${now[measure]} instead of ${before[measure]}`);
  const mounts = (await mountsUnder(run)).map(({ target: place }) => `mount "${place}"`);
  return [...counted, ...mounts];
}

const LABELS: Record<Measure, string> = {
  pssKib: 'memory of the daemon (PSS), KiB',
  rssKib: 'memory of the daemon (RSS), KiB',
  heapKib: 'heap of its main thread, KiB',
  descriptors: 'descriptors of the daemon',
  threads: 'threads of the daemon',
  processes: 'processes, of daemon and pods',
  cgroups: 'cgroups',
};

function toText({ options, load, trends, atRest, leftOver }: Result): string {
  const { pods, minutes, probeSeconds } = options;
  const wanted = (pods / probeSeconds).toFixed(0);
  const perSecond = (load.probes / (minutes * 60)).toFixed(1);
  const lines = [
    `${pods} pods for ${minutes} minutes`,
    `  probes: ${load.probes}, ${perSecond} per second (a faster machine: ${wanted}); pods replaced: ${load.replaced}`,
    `  probe ${spread(load.probeMs)}`,
    `  lists ${spread(load.listMs)}`,
    `  stats ${spread(load.statsMs)}`,
    ...MEASURES.map((measure) => {
      const { first, last, most, slope } = trends[measure];
      const rest = `${atRest[0][measure].toFixed(0)} and ${atRest[1][measure].toFixed(0)}`;
      return `  ${LABELS[measure].padEnd(34)} ${first.toFixed(0)} to ${last.toFixed(0)}, at most ${most.toFixed(0)}, ${slope.toFixed(1)} per minute; without pods ${rest}`;
    }),
    ...Object.entries(load.errors).map(([message, count]) => `  failed ${count} times: ${message}`),
    leftOver.length === 0 ? '  nothing is left over' : `  left over: ${leftOver.join('; ')}`,
  ];
  return `${lines.join('\n')}\n`;
}

function spread(values: readonly number[]): string {
  const [median, p99, most] = [0.5, 0.99, 1].map((q) => quantileOf(values, q).toFixed(1));
  return `${median} ms, 99 %: ${p99} ms, at most ${most} ms`;
}
