import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { TestImages } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

let registry: FakeRegistry;
let store: TestImages;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  store = await TestImages.open();
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const base = [{ name: 'etc/motd', content: 'hello' }];
const one = buildImage({ layers: [base] });
const two = buildImage({ layers: [base, [{ name: 'top', content: randomBytes(100_000) }]] });
const bytesOf = (index: number) => two.layers[index]!.data.length;
const pull = (tag: string) => store.images.pull(testCall, { reference: `${registry.host}/a/b:${tag}` });
const noticed = (wanted: () => unknown) => expect.poll(wanted, { interval: 10 });
const here = { receivedBytes: 0, bytesPerSecond: 0, host: '', retries: 0, state: 'shared' };

test('what becomes of a pull can be seen: its layers, their bytes, who gives them', async () => {
  registry.add('a/b', 'one', one);
  registry.add('a/b', 'two', two);
  await pull('one');
  const half = bytesOf(1) >> 1;
  let release = (): void => undefined;
  registry.override = (_, response, path) => {
    if (!path.endsWith(two.layers[1]!.digest)) return false;
    response.writeHead(200, { 'content-length': bytesOf(1) }).write(two.layers[1]!.data.subarray(0, half));
    release = () => response.end(two.layers[1]!.data.subarray(half));
    return true;
  };
  const pulling = pull('two');
  const layersOf = () => store.images.pulls.list()[0]?.layers ?? [];
  await noticed(() => layersOf()[1]?.receivedBytes).toBe(half);
  expect(store.images.pulls.list()[0]).toMatchObject({
    reference: `${registry.host}/a/b:two`,
    state: 'pulling',
    layers: [
      { digest: two.layers[0]!.digest, sizeBytes: bytesOf(0), ...here },
      {
        digest: two.layers[1]!.digest,
        state: 'downloading',
        sizeBytes: bytesOf(1),
        host: `http://${registry.host}`,
        retries: 0,
        bytesPerSecond: expect.any(Number) as number,
      },
    ],
  });
  expect(layersOf()[1]?.bytesPerSecond).toBeGreaterThan(0);
  release();
  await pulling;
  const ended = { state: 'done', message: '', endedAtMs: expect.any(Number) as number };
  expect(store.images.pulls.list()).toMatchObject([
    { ...ended, layers: [here, { state: 'done', receivedBytes: bytesOf(1), bytesPerSecond: 0 }] },
    { ...ended, layers: [{ state: 'done', receivedBytes: bytesOf(0) }] },
  ]);
});

test('a connection that broke shows as a retry', async () => {
  registry.add('a/b', 'two', two);
  let broken = false;
  registry.override = (_, response, path) => {
    if (broken || !path.endsWith(two.layers[1]!.digest)) return false;
    broken = true;
    response.writeHead(200, { 'content-length': bytesOf(1) });
    response.write(two.layers[1]!.data.subarray(0, 5000), () => response.destroy());
    return true;
  };
  await pull('two');
  expect(store.images.pulls.list()[0]?.layers[1]).toMatchObject({ state: 'done', retries: 1 });
});

test('a pull that failed says why, and which layer it was', async () => {
  registry.add('a/b', 'two', two);
  registry.addBlob('a/b', two.layers[1]!, randomBytes(bytesOf(1)));
  await expect(pull('two')).rejects.toThrow();
  const [failed] = store.images.pulls.list();
  expect(failed).toMatchObject({ state: 'failed', message: expect.stringContaining('layer') as string });
  expect(failed?.layers[1]?.state).toBe('failed');
});

test('two pulls that share a layer both see it come', async () => {
  registry.add('a/b', 'one', one);
  registry.add('a/b', 'two', two);
  await Promise.all([pull('one'), pull('two')]);
  const states = store.images.pulls.list().map(({ layers }) => layers.map(({ state }) => state));
  expect(states.toSorted((a, b) => a.length - b.length)).toEqual([['done'], ['done', 'done']]);
});

test('the last pulls are kept, and no more', async () => {
  for (let index = 0; index < 25; index++) await expect(pull(`v${index}`)).rejects.toThrow();
  const tags = store.images.pulls.list().map(({ reference }) => reference.split(':').at(-1));
  expect(tags).toEqual(Array.from({ length: 20 }, (_, index) => `v${24 - index}`));
});

test('a layer that waits for a thread is downloaded meanwhile', async () => {
  await using narrow = await TestImages.open({ concurrency: { downloads: 2, unpacks: 1 } });
  registry.add('a/b', 'two', two);
  const requests: string[] = [];
  const held: (() => void)[] = [];
  registry.override = (_, response, path) => {
    const layer = two.layers.find(({ digest }) => path.endsWith(digest));
    if (layer === undefined) return false;
    requests.push(layer.digest);
    held.push(() => response.end(layer.data));
    return true;
  };
  const pulling = narrow.images.pull(testCall, { reference: `${registry.host}/a/b:two` });
  await noticed(() => requests.length).toBe(2);
  for (const release of held) release();
  expect((await pulling).chainIds).toHaveLength(2);
});
