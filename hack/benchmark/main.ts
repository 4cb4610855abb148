// hack/bench: starts what is to be measured, measures it in turns, prints the figures.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeImageArchive } from '../images/archive.ts';
import { BUSYBOX_IMAGE, busyboxImage } from '../images/busybox.ts';
import { startContainerd } from './containerd.ts';
import { startDavit } from './davit.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import { removeAllPods, type PodPlan } from './pod.ts';
import { benchPull } from './pull.ts';
import { reportJson, reportTable, type Measured } from './report.ts';
import { benchSoak } from './soak.ts';
import { benchStats } from './stats.ts';
import { benchStream } from './stream.ts';
import { sequential, standing, wide } from './rounds.ts';
import { connect, type Endpoint, type Target } from './target.ts';
import { Workspace } from './workspace.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  if (args[0] === 'pull') return await benchPull(args.slice(1));
  if (args[0] === 'soak') return await benchSoak(args.slice(1));
  if (args[0] === 'stats') return await benchStats(args.slice(1));
  if (args[0] === 'stream') return await benchStream(args.slice(1));
  let options: Options | 'help';
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`bench: ${messageOf(error)} (see --help)\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    const measured = await bench(options);
    process.stdout.write(
      options.json ? `${JSON.stringify(reportJson(measured), null, 2)}\n` : reportTable(measured),
    );
    return 0;
  } catch (error) {
    process.stderr.write(`bench: ${messageOf(error)}\n`);
    return 1;
  }
}

async function bench(options: Options): Promise<Measured[]> {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort(new Error('interrupted'));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'davit-bench-'));
  stack.defer(() => rm(dir, { recursive: true }));
  const plan: PodPlan = {
    run: randomBytes(4).toString('hex'),
    logDirectory: join(dir, 'logs'),
    signal: interrupted.signal,
  };
  const targets: Target[] = [];
  for (const endpoint of await endpoints(stack, options, dir)) {
    const target = await connect(endpoint);
    stack.defer(() => {
      target.client[Symbol.dispose]();
    });
    stack.defer(() => removeAllPods(target, plan.run));
    targets.push(target);
  }
  return await measure(targets, plan, options);
}

async function endpoints(stack: AsyncDisposableStack, options: Options, dir: string): Promise<Endpoint[]> {
  const { handler } = options;
  const image = options.image ?? BUSYBOX_IMAGE;
  const archive = join(dir, 'busybox.tar');
  await writeImageArchive(archive, busyboxImage());
  const found: Endpoint[] = [];
  if (options.socket === undefined) {
    say('building and starting davit');
    const workspace = stack.use(new Workspace('davit', 0));
    found.push(await startDavit(stack, workspace, { archive, image, handler }));
  } else {
    found.push({ socket: options.socket, handler, image });
  }
  if (options.vs !== undefined) found.push({ socket: options.vs, handler, image });
  if (options.peer === 'containerd') {
    say('starting containerd');
    const workspace = stack.use(new Workspace('containerd', 16));
    found.push(await startContainerd(stack, workspace, { archive, image, handler }));
  }
  return found;
}

async function measure(targets: readonly Target[], plan: PodPlan, options: Options): Promise<Measured[]> {
  const { pods, width, batches, hold } = options;
  say(`${pods} pods, one by one: ${targets.map(({ name }) => name).join(' and ')}`);
  const one = await sequential(targets, plan, pods);
  if (width > 0) say(`${batches} times ${width} pods at once`);
  const many = width > 0 ? await wide(targets, plan, { width, batches }) : [];
  if (hold > 0) say(`memory of ${hold} pods`);
  const memory = hold > 0 ? await standing(targets, plan, hold) : [];
  return targets.map(({ name }, at) => ({
    runtime: name,
    pods: one[at] ?? [],
    batches: many[at] ?? [],
    memory: memory[at],
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
