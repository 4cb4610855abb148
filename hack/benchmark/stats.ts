// hack/bench stats: what it costs to ask for the usage of all containers.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeImageArchive } from '../images/archive.ts';
import { BUSYBOX_IMAGE, busyboxImage } from '../images/busybox.ts';
import { startContainerd } from './containerd.ts';
import { startDavit } from './davit.ts';
import { removeAllPods, type PodPlan } from './pod.ts';
import { parseStatsOptions, STATS_USAGE, type StatsBenchOptions } from './stats-options.ts';
import { StandingPods } from './stats-pods.ts';
import { statsReportJson, statsReportTable, type Asked } from './stats-report.ts';
import { QUESTIONS, RawChannel, type Question, type StatsSample } from './stats-sample.ts';
import { connect } from './target.ts';
import { Workspace } from './workspace.ts';

/** @returns the exit status */
export async function benchStats(args: string[]): Promise<number> {
  let options: StatsBenchOptions | 'help';
  try {
    options = parseStatsOptions(args);
  } catch (error) {
    process.stderr.write(`bench: ${messageOf(error)} (see hack/bench stats --help)\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(STATS_USAGE);
    return 0;
  }
  try {
    const asked = await bench(options);
    process.stdout.write(
      options.json ? `${JSON.stringify(statsReportJson(asked), null, 2)}\n` : statsReportTable(asked),
    );
    return 0;
  } catch (error) {
    process.stderr.write(`bench: ${messageOf(error)}\n`);
    return 1;
  }
}

/** A runtime with its pods, and the way to ask it. */
interface Subject {
  readonly pods: StandingPods;
  readonly channel: RawChannel;
  readonly questions: ReadonlySet<Question>;
}

async function bench(options: StatsBenchOptions): Promise<Asked[]> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted.abort(new Error('interrupted'));
    });
  }
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'davit-bench-'));
  stack.defer(() => rm(dir, { recursive: true }));
  const plan: PodPlan = {
    run: randomBytes(4).toString('hex'),
    logDirectory: join(dir, 'logs'),
    signal: interrupted.signal,
  };
  const subjects = await startAll(stack, dir, { plan, options });
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

async function startAll(
  stack: AsyncDisposableStack,
  dir: string,
  { plan, options }: { readonly plan: PodPlan; readonly options: StatsBenchOptions },
): Promise<Subject[]> {
  const archive = join(dir, 'busybox.tar');
  await writeImageArchive(archive, busyboxImage());
  const what = { archive, image: BUSYBOX_IMAGE, handler: '' };
  const subjects: Subject[] = [];
  const start = async (name: string, network: number, starter: typeof startDavit): Promise<void> => {
    say(`starting ${name}`);
    const workspace = stack.use(new Workspace(name, network));
    const endpoint = await starter(stack, workspace, what);
    const target = await connect(endpoint);
    stack.defer(() => {
      target.client[Symbol.dispose]();
    });
    stack.defer(() => removeAllPods(target, plan.run));
    const channel = stack.use(new RawChannel(target, endpoint.socket));
    const questions = new Set<Question>();
    for (const question of QUESTIONS) if (await channel.knows(question)) questions.add(question);
    subjects.push({ pods: new StandingPods(target, plan, options.pods), channel, questions });
  };
  await start('davit', 0, startDavit);
  if (options.peer === 'containerd') await start('containerd', 16, startContainerd);
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

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function messageOf(error: unknown): string {
  if (error instanceof SuppressedError)
    return `${messageOf(error.suppressed)} (then: ${messageOf(error.error)})`;
  return error instanceof Error ? error.message : String(error);
}
