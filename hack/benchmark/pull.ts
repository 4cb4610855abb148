// hack/bench pull: pulls from a registry of its own, in turns, and what they cost.

import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mountTmpfs } from '../../pkg/sys/mount.ts';
import { runBench, say, type BenchRun } from './bench.ts';
import { writeLayer, type LayerFile, type LayerPlan } from './pull-image.ts';
import { parsePullOptions, PULL_USAGE, type PullOptions } from './pull-options.ts';
import { PullRegistry } from './pull-registry.ts';
import { pullReportJson, pullReportTable, type PulledBy } from './pull-report.ts';
import { measurePull, removeImage, type PullSample } from './pull-sample.ts';
import { startRuntime, type RuntimeName } from './runtimes.ts';
import type { Target } from './target.ts';
import type { Workspace } from './workspace.ts';

interface PulledImages {
  /** All of it is fetched. */
  readonly cold: string;
  /** Its three lower layers are those of the other. */
  readonly shared: string;
}

/** @returns the exit status */
export async function benchPull(args: string[]): Promise<number> {
  const command = { name: 'hack/bench pull', usage: PULL_USAGE, parse: parsePullOptions };
  return await runBench({ ...command, measure, toText: pullReportTable, toJson: pullReportJson }, args);
}

async function measure(run: BenchRun, options: PullOptions): Promise<PulledBy[]> {
  const registry = run.stack.use(await PullRegistry.start(join(run.dir, 'registry')));
  const images = await makeImages(registry, run.dir, options);
  const targets = await startAll(run, options);
  const samples = targets.map(() => ({ cold: [] as PullSample[], shared: [] as PullSample[] }));
  for (let round = 1; round <= options.rounds; round++) {
    for (const [at, target] of targets.entries()) {
      run.plan.signal.throwIfAborted();
      say(`round ${round} of ${options.rounds}: ${target.name}`);
      samples[at]?.cold.push(await measurePull(target, images.cold));
      samples[at]?.shared.push(await measurePull(target, images.shared));
      for (const image of [images.shared, images.cold]) await removeImage(target, image);
    }
  }
  return targets.map(({ name }, at) => ({ runtime: name, cold: [], shared: [], ...samples[at] }));
}

/** Both images have the size that was asked for; the top layer is a fifth of it. */
async function makeImages(
  registry: PullRegistry,
  dir: string,
  { megabytes, files }: PullOptions,
): Promise<PulledImages> {
  say(`making two images of ${megabytes} MB in ${files} files`);
  const part = (seed: string, share: number): LayerPlan => ({
    seed,
    files: Math.ceil(files * share),
    bytes: Math.ceil(megabytes * 1e6 * share),
  });
  const plans = [
    part('base', 0.4),
    part('tools', 0.25),
    part('libraries', 0.15),
    part('app', 0.2),
    part('other', 0.2),
  ];
  const layers: LayerFile[] = [];
  for (const plan of plans) layers.push(await writeLayer(join(dir, `${plan.seed}.tar.gz`), plan));
  const base = layers.slice(0, 3);
  const image = async (name: string, top: number): Promise<string> =>
    await registry.push(name, [...base, ...layers.slice(top, top + 1)]);
  const made = { cold: await image('bench/app', 3), shared: await image('bench/other', 4) };
  const packed = layers.slice(0, 4).reduce((sum, { size }) => sum + size, 0);
  say(`compressed, one of them has ${Math.round(packed / 1e6)} MB`);
  for (const { path } of layers) await rm(path);
  return made;
}

async function startAll(run: BenchRun, { peer, tmpfs }: PullOptions): Promise<Target[]> {
  const names: RuntimeName[] = peer === 'containerd' ? ['davit', 'containerd'] : ['davit'];
  const targets: Target[] = [];
  for (const name of names) {
    const prepare = ({ root }: Workspace): void => {
      if (tmpfs) mountInMemory(join(root, name));
    };
    const { target } = await startRuntime(run, name, { withMetrics: true, prepare });
    targets.push(target);
  }
  return targets;
}

function mountInMemory(dir: string): void {
  mkdirSync(dir);
  mountTmpfs(dir, { mode: 0o700 });
}
