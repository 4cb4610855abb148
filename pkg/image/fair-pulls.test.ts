// Pulls beside each other: none keeps the others from going on.

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { Image } from './image.ts';
import type { ImagesOptions } from './images.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { toOciArchive } from './testing/image-archive.ts';
import { TestImages } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

const LAYER_BYTES = 100_000;
const layerOf = (bytes: number) => [{ name: 'data', content: randomBytes(bytes) }];
const big = buildImage({ layers: Array.from({ length: 6 }, () => layerOf(LAYER_BYTES)) });
const small = buildImage({ layers: [layerOf(1000)] });
const other = buildImage({ layers: Array.from({ length: 3 }, () => layerOf(LAYER_BYTES)) });

let registry: FakeRegistry;
let store: TestImages;
/** Lets the layers of the big image come. */
let release: () => void;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  registry.add('a/b', 'big', big);
  registry.add('a/b', 'small', small);
  registry.add('a/b', 'other', other);
  release = () => undefined;
});
afterEach(async () => {
  release();
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

async function open(options: Partial<ImagesOptions>): Promise<void> {
  store = await TestImages.open(options);
}

function pull(tag: string, options: { isUrgent?: boolean } = {}): Promise<Image> {
  return store.images.pull(testCall, { reference: `${registry.host}/a/b:${tag}`, ...options });
}

/** These layers begin to come, and then hang. */
function hold(layers: (typeof big)['layers']): void {
  const held: (() => void)[] = [];
  registry.override = (_, response, path) => {
    const layer = layers.find(({ digest }) => path.endsWith(digest));
    if (layer === undefined) return false;
    response.writeHead(200, { 'content-length': layer.data.length }).write(layer.data.subarray(0, 1000));
    held.push(() => response.end(layer.data.subarray(1000)));
    return true;
  };
  release = () => {
    registry.override = () => false;
    for (const finish of held) finish();
  };
}

const asked = (layers: (typeof big)['layers']) =>
  registry.requests.filter((line) => layers.some(({ digest }) => line.endsWith(digest))).length;
/** In the order in which they were asked for. */
const layersAsked = () => {
  const layers = [...big.layers, ...small.layers, ...other.layers].map(({ digest }) => digest);
  return registry.requests.flatMap((line) => layers.filter((digest) => line.endsWith(digest)));
};
const noticed = (wanted: () => unknown) => expect.poll(wanted, { interval: 10 });
const stateOf = (tag: string) =>
  store.images.pulls.list().find(({ reference }) => reference.endsWith(`:${tag}`))?.state;

test('a small pull is done while a large one has all that there is', async () => {
  await open({ concurrency: { downloads: 2, unpacks: 1 } });
  hold(big.layers);
  const pulling = pull('big');
  await noticed(() => asked(big.layers)).toBe(2);
  expect((await pull('small')).id).toBe(small.config.digest);
  expect(stateOf('big')).toBe('pulling');
  release();
  expect((await pulling).id).toBe(big.config.digest);
});

test('bytes are held to the limit of the node, and shared by image: a small one does not wait', async () => {
  const maxBytesPerSecond = 500_000;
  await open({ maxBytesPerSecond });
  const start = performance.now();
  const pulling = pull('big');
  await noticed(() => asked(big.layers)).toBeGreaterThan(1);
  await pull('small');
  expect(stateOf('big')).toBe('pulling');
  await pulling;
  const allBytes = 6 * LAYER_BYTES;
  expect(performance.now() - start).toBeGreaterThan((allBytes / maxBytesPerSecond) * 1000 - 200);
});

test('an archive is not held to the limit of the network', async () => {
  await open({ maxBytesPerSecond: 1 });
  const path = join(store.dir, 'archive');
  writeFileSync(path, toOciArchive(big, 'big:v1'));
  expect(await store.images.load(testCall, path)).toHaveLength(1);
});

test.each([
  ['that is asked for as urgent', {}, { isUrgent: true }],
  ['of a pinned image', { pinned: ['127.0.0.1:*/a/b:small'] }, {}],
])('a pull %s goes before what others have in their queues', async (_, options, request) => {
  await open({ concurrency: { downloads: 1, unpacks: 1 }, ...options });
  hold([...big.layers, ...other.layers]);
  const pulls = [pull('big'), pull('other')];
  await noticed(() => asked(big.layers) + asked(other.layers)).toBe(2); // the other has one beyond the limit
  pulls.push(pull('small', request));
  await noticed(() => stateOf('small')).toBe('pulling');
  release();
  await Promise.all(pulls);
  expect(layersAsked().indexOf(small.layers[0]!.digest)).toBe(2);
});

test('a layer that the registry of another pull does not give is fetched from ours', async () => {
  await open({});
  await using theirs = await FakeRegistry.start();
  theirs.add('a/b', 'small', small);
  const [layer] = small.layers as [(typeof small)['layers'][0]];
  let refuse = (): void => undefined;
  theirs.override = (_, response, path) => {
    if (!path.endsWith(layer.digest)) return false;
    refuse = () => response.writeHead(403).end();
    return true;
  };
  const refused = store.images.pull(testCall, { reference: `${theirs.host}/a/b:small` });
  refused.catch(() => undefined); // looked at below
  await noticed(() => theirs.requests.some((line) => line.endsWith(layer.digest))).toBe(true);
  const ours = pull('small');
  const isPulling = ({ state }: { state: string }) => state === 'pulling';
  await noticed(() => store.images.pulls.list().filter(isPulling).length).toBe(2);
  refuse();
  await expect(refused).rejects.toThrow('access denied');
  expect((await ours).id).toBe(small.config.digest);
});
