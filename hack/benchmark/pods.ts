// hack/bench without a command: how long pods take to come and go, one by one and at the same time, and what they cost.

import { runBench, say, type BenchRun } from './bench.ts';
import { parseOptions, USAGE, type Options } from './options.ts';
import { reportJson, reportTable, type Measured } from './report.ts';
import { sequential, standing, wide } from './rounds.ts';
import { startRuntime, useRuntime } from './runtimes.ts';
import type { Target } from './target.ts';
import { BUSYBOX_IMAGE } from '../images/busybox.ts';

/** @returns the exit status */
export async function benchPods(args: string[]): Promise<number> {
  const name = 'hack/bench';
  const report = { toText: reportTable, toJson: reportJson };
  return await runBench({ name, usage: USAGE, parse: parseOptions, measure, ...report }, args);
}

async function measure(run: BenchRun, options: Options): Promise<Measured[]> {
  const { pods, width, batches, hold } = options;
  const targets = await startAll(run, options);
  say(`${pods} pods, one by one: ${targets.map(({ name }) => name).join(' and ')}`);
  const one = await sequential(targets, run.plan, pods);
  if (width > 0) say(`${batches} times ${width} pods at once`);
  const many = width > 0 ? await wide(targets, run.plan, { width, batches }) : [];
  if (hold > 0) say(`memory of ${hold} pods`);
  const memory = hold > 0 ? await standing(targets, run.plan, hold) : [];
  return targets.map(({ name }, at) => ({
    runtime: name,
    pods: one[at] ?? [],
    batches: many[at] ?? [],
    memory: memory[at],
  }));
}

async function startAll(run: BenchRun, options: Options): Promise<Target[]> {
  const { handler, socket, vs, peer, image = BUSYBOX_IMAGE } = options;
  const started = { image, handler };
  const targets: Target[] = [];
  if (socket === undefined) targets.push((await startRuntime(run, 'davit', started)).target);
  for (const path of [socket, vs]) {
    if (path !== undefined) targets.push(await useRuntime(run, { socket: path, handler, image }));
  }
  if (peer === 'containerd') targets.push((await startRuntime(run, 'containerd', started)).target);
  return targets;
}
