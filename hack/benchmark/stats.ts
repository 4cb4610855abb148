// hack/bench stats: what it costs to ask for the usage of all containers.

import { runBench, say, type BenchRun } from './bench.ts';
import type { PodPlan } from './pod.ts';
import { startRuntime, type RuntimeName } from './runtimes.ts';
import { parseStatsOptions, STATS_USAGE, type StatsBenchOptions } from './stats-options.ts';
import { StandingPods } from './stats-pods.ts';
import { statsReportJson, statsReportTable, type Asked } from './stats-report.ts';
import { QUESTIONS, RawChannel, type Question, type StatsSample } from './stats-sample.ts';

/** @returns the exit status */
export async function benchStats(args: string[]): Promise<number> {
  const command = { name: 'hack/bench stats', usage: STATS_USAGE, parse: parseStatsOptions };
  return await runBench({ ...command, measure, toText: statsReportTable, toJson: statsReportJson }, args);
}

/** A runtime with its pods, and the way to ask it. */
interface Subject {
  readonly pods: StandingPods;
  readonly channel: RawChannel;
  readonly questions: ReadonlySet<Question>;
}

async function measure(run: BenchRun, options: StatsBenchOptions): Promise<Asked[]> {
  const { plan } = run;
  const subjects = await startAll(run, options);
  const asked: Asked[] = [];
  for (const containers of options.containers) {
    for (const { pods } of subjects) {
      say(`${pods.target.name}: ${containers} containers`);
      await pods.grow(containers);
    }
    say(`asking ${options.rounds} times`);
    for (const question of QUESTIONS) {
      const knowing = subjects.filter(({ questions }) => questions.has(question));
      asked.push(...(await ask(knowing, question, { containers, plan, rounds: options.rounds })));
    }
  }
  return asked;
}

async function startAll(run: BenchRun, { peer, pods }: StatsBenchOptions): Promise<Subject[]> {
  const names: RuntimeName[] = peer === 'containerd' ? ['davit', 'containerd'] : ['davit'];
  const subjects: Subject[] = [];
  for (const name of names) {
    const { target, endpoint } = await startRuntime(run, name);
    const channel = run.stack.use(new RawChannel(target, endpoint.socket));
    const questions = new Set<Question>();
    for (const question of QUESTIONS) if (await channel.knows(question)) questions.add(question);
    subjects.push({ pods: new StandingPods(target, run.plan, pods), channel, questions });
  }
  return subjects;
}

/** In turns; what is asked beside it, to see who is kept waiting, costs too, and so has turns of its own. */
async function ask(
  subjects: readonly Subject[],
  question: Question,
  {
    containers,
    plan,
    rounds,
  }: { readonly containers: number; readonly plan: PodPlan; readonly rounds: number },
): Promise<Asked[]> {
  const found = subjects.map(() => ({ samples: [] as StatsSample[], delaysMs: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [at, { channel }] of subjects.entries()) {
      plan.signal.throwIfAborted();
      found[at]?.samples.push(await channel.measure(question));
      if (round % 2 === 0) found[at]?.delaysMs.push(await channel.measureDelay(question));
    }
  }
  return subjects.map(({ pods }, at) => ({
    runtime: pods.target.name,
    containers,
    pods: pods.pods,
    question,
    samples: [],
    delaysMs: [],
    ...found[at],
  }));
}
