// A pull whose daemon dies, at any step and at any moment, is finished by the next one: what was committed is not
// fetched again, and nothing else is left. DAVIT_E2E_SEED takes other steps and moments (a number, or `random`);
// DAVIT_E2E_PULL_CRASHES says how many of each.

import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FaultProxy } from '../../pkg/image/testing/fault-proxy.ts';
import { FaultHarness, withFaultHooks, type Scenario } from './harness/faults/fault-harness.ts';
import type { Point } from './harness/faults/plan.ts';
import { eventually } from './harness/eventually.ts';
import { buildImage, type BuiltImage } from './harness/image-builder.ts';
import { Kubelet } from './harness/kubelet.ts';
import { Random, seedOf } from './harness/random.ts';
import { Registry } from './harness/registry.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode(withFaultHooks);
const seed = seedOf('DAVIT_E2E_SEED');
const CRASHES = Number(process.env['DAVIT_E2E_PULL_CRASHES'] ?? 3);
const TIMEOUT_MS = 120_000 + CRASHES * 30_000;
const LAYERS = 4;
const LAYER_BYTES = 100_000;

let registry: Registry;
let proxy: FaultProxy;
let image: BuiltImage;
let name: string;

beforeAll(async () => {
  registry = await Registry.start(node.place);
  proxy = await FaultProxy.start(registry.host);
  const layers = Array.from({ length: LAYERS }, (_, index) => ({
    entries: [
      { path: `/data${index}`, data: randomBytes(LAYER_BYTES) },
      { path: `/dir${index}/small`, data: 'small' },
    ],
  }));
  image = await buildImage({ layers });
  await registry.push('crash/app', 'v1', image);
  name = `${proxy.host}/crash/app:v1`;
  // slow enough to be cut off in the middle, each layer at a pace of its own
  proxy.misbehave = (path) => {
    const index = image.layers.findIndex(({ digest }) => path.endsWith(digest));
    return index < 0 ? undefined : { kind: 'drip', bytes: 10_000, everyMs: 2 + 5 * index };
  };
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const layersOnDisk = () => readdirSync(join(node.place.root, 'layers')).length;
const ingested = () => readdirSync(join(node.place.root, 'ingest'));
const layersAsked = () =>
  proxy.seen.filter(({ path }) => image.layers.some(({ digest }) => path.endsWith(digest))).length;

const pull = (kubelet: Kubelet) => kubelet.ask((client) => client.pullImage({ image: { image: name } }));

/** The daemon may be killed during `first`; the second pull fetches what was not committed, and no more. */
async function pullTwice(kubelet: Kubelet, first: () => Promise<unknown>, before: number): Promise<void> {
  await first();
  await kubelet.ask((client) => client.version());
  const committed = layersOnDisk() - before; // a start takes away what has no record
  const asked = layersAsked();
  await pull(kubelet);
  expect(layersAsked() - asked).toBe(LAYERS - committed);
}

async function expectWhole(kubelet: Kubelet): Promise<void> {
  const health: string[] = [];
  for await (const layer of kubelet.node.davit.verifyImages({ images: [name] })) health.push(layer.health);
  expect(health).toEqual(Array.from({ length: LAYERS }, () => 'intact'));
}

async function removeAgain(kubelet: Kubelet, before: number): Promise<void> {
  await kubelet.ask((client) => client.removeImage({ image: { image: name } }));
  await eventually(
    'nothing of the image is left',
    () => layersOnDisk() === before && ingested().length === 0,
  );
}

const scenario: Scenario<number> = {
  name: 'PullImage',
  prepare: () => Promise.resolve(layersOnDisk()),
  act: (kubelet, before) =>
    pullTwice(
      kubelet,
      () => node.client.pullImage({ image: { image: name } }).catch(() => undefined),
      before,
    ),
  verify: expectWhole,
  cleanUp: removeAgain,
};

/** In which order things happened: the numbers of the points that match. */
function moments(trace: readonly Point[], moment: Point['moment'], effect: RegExp): number[] {
  return trace.flatMap((point, index) =>
    point.moment === moment && effect.test(point.effect) ? [index] : [],
  );
}

test(
  'a layer is recorded when it is on disk, an image when its layers are, and a pull that is cut off goes on from there',
  async () => {
    const harness = await FaultHarness.open(node);
    const random = new Random(seed);
    const trace = await harness.record(scenario);
    const synced = moments(trace, 'after', /^syncfs/);
    const layers = moments(trace, 'before', /^commit put layer!/);
    const recorded = moments(trace, 'after', /^commit put layer!/);
    const [installed = 0] = moments(trace, 'before', /^commit put image!/);
    expect([synced.length, layers.length]).toEqual([LAYERS, LAYERS]);
    layers.forEach((at, index) => {
      expect(synced[index], `the commit of layer ${index + 1}`).toBeLessThan(at);
    });
    expect(Math.max(...recorded)).toBeLessThan(installed);

    let kills = 0;
    const steps = trace.filter(({ effect }) => /^(?:syncfs|commit)/.test(effect)); // each pull comes to them
    for (let count = 0; count < CRASHES; count++) {
      const point = steps[random.integer(0, steps.length - 1)]!;
      if (await harness.dieAt(scenario, point)) kills += 1;
    }
    process.stdout.write(`pull crashes: seed ${seed}, ${steps.length} steps, ${kills} kills\n`);
    expect(kills, `with seed ${seed}`).toBe(CRASHES);
  },
  TIMEOUT_MS,
);

test(
  'a pull that is cut off at any moment goes on from what was committed',
  async () => {
    const kubelet = new Kubelet(node);
    const random = new Random(seed);
    const before = layersOnDisk();
    for (let count = 0; count < CRASHES; count++) {
      await pullTwice(
        kubelet,
        async () => {
          const pulling = node.client.pullImage({ image: { image: name } }).catch(() => undefined);
          await delay(random.integer(0, 400));
          await node.kill9();
          await pulling;
          await node.startAgain();
        },
        before,
      );
      await expectWhole(kubelet);
      await removeAgain(kubelet, before);
    }
  },
  TIMEOUT_MS,
);
