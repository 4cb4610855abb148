// hack/bench pull: pulls from a registry of its own, in turns, and what they cost.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { mountTmpfs } from '../../pkg/sys/mount.ts';
import { writeImageArchive } from '../images/archive.ts';
import { BUSYBOX_IMAGE, busyboxImage } from '../images/busybox.ts';
import { startContainerd } from './containerd.ts';
import { startDavit } from './davit.ts';
import { writeLayer, type LayerFile, type LayerPlan } from './pull-image.ts';
import { parsePullOptions, PULL_USAGE, type PullOptions } from './pull-options.ts';
import { PullRegistry } from './pull-registry.ts';
import { pullReportJson, pullReportTable, type PulledBy } from './pull-report.ts';
import { measurePull, removeImage, type PullSample } from './pull-sample.ts';
import { connect, type Target } from './target.ts';
import { Workspace } from './workspace.ts';

interface PulledImages {
  /** All of it is fetched. */
  readonly cold: string;
  /** Its three lower layers are those of the other. */
  readonly shared: string;
}

/** @returns the exit status */
export async function benchPull(args: string[]): Promise<number> {
  let options: PullOptions | 'help';
  try {
    options = parsePullOptions(args);
  } catch (error) {
    process.stderr.write(`bench: ${messageOf(error)} (see hack/bench pull --help)\n`);
    return 2;
  }
  if (options === 'help') {
    process.stdout.write(PULL_USAGE);
    return 0;
  }
  try {
    const pulled = await bench(options);
    process.stdout.write(
      options.json ? `${JSON.stringify(pullReportJson(pulled), null, 2)}\n` : pullReportTable(pulled),
    );
    return 0;
  } catch (error) {
    process.stderr.write(`bench: ${messageOf(error)}\n`);
    return 1;
  }
}

async function bench(options: PullOptions): Promise<PulledBy[]> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      interrupted.abort(new Error('interrupted'));
    });
  }
  await using stack = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'davit-bench-'));
  stack.defer(() => rm(dir, { recursive: true }));
  const registry = stack.use(await PullRegistry.start(join(dir, 'registry')));
  const images = await makeImages(registry, dir, options);
  const targets = await startAll(stack, dir, options);
  const samples = targets.map(() => ({ cold: [] as PullSample[], shared: [] as PullSample[] }));
  for (let round = 1; round <= options.rounds; round++) {
    for (const [at, target] of targets.entries()) {
      interrupted.signal.throwIfAborted();
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

async function startAll(stack: AsyncDisposableStack, dir: string, options: PullOptions): Promise<Target[]> {
  const archive = join(dir, 'busybox.tar');
  await writeImageArchive(archive, busyboxImage());
  const what = { archive, image: BUSYBOX_IMAGE, handler: '', withMetrics: true };
  const targets: Target[] = [];
  const start = async (name: string, network: number, starter: typeof startDavit): Promise<void> => {
    say(`starting ${name}`);
    const workspace = stack.use(new Workspace(name, network));
    if (options.tmpfs) {
      mkdirSync(join(workspace.root, name));
      mountTmpfs(join(workspace.root, name), { mode: 0o700 });
    }
    const target = await connect(await starter(stack, workspace, what));
    stack.defer(() => {
      target.client[Symbol.dispose]();
    });
    targets.push(target);
  };
  await start('davit', 0, startDavit);
  if (options.peer === 'containerd') await start('containerd', 16, startContainerd);
  return targets;
}

function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`);
}

function messageOf(error: unknown): string {
  if (error instanceof SuppressedError)
    return `${messageOf(error.suppressed)} (then: ${messageOf(error.error)})`;
  return error instanceof Error ? error.message : String(error);
}
