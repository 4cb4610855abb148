import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { TestImages } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

test('pulls are told of: how they ended, and which layers were fetched or shared', async () => {
  const told: unknown[] = [];
  let retries = 0;
  const observer = {
    pulled: (outcome: string) => told.push(outcome),
    layers: (layers: object) => told.push(layers),
    retried: (count: number) => (retries += count),
  };
  await using registry = await FakeRegistry.start();
  await using store = await TestImages.open({ observer });
  const base = [{ name: 'etc/motd', content: 'hello' }];
  const one = buildImage({ layers: [base] });
  const two = buildImage({ layers: [base, [{ name: 'top', content: 'x' }]] });
  registry.add('a/b', 'one', one);
  registry.add('a/b', 'two', two);
  for (const tag of ['one', 'two', 'two', 'none']) {
    const pulling = store.images.pull(testCall, { reference: `${registry.host}/a/b:${tag}` });
    await pulling.catch(() => undefined);
  }
  const [bottom, top] = two.layers.map(({ data }) => data.length);
  expect(told).toEqual([
    { fetched: 1, shared: 0, fetchedBytes: bottom },
    'ok',
    { fetched: 1, shared: 1, fetchedBytes: top },
    'ok',
    'ok', // nothing was missing
    'not_found',
  ]);
  expect(retries).toBe(0);
});

test('requests that had to be repeated are told of', async () => {
  let retries = 0;
  const observer = { pulled: () => 0, layers: () => 0, retried: (count: number) => (retries += count) };
  await using registry = await FakeRegistry.start();
  await using store = await TestImages.open({ observer });
  const image = buildImage({ layers: [[{ name: 'etc/motd', content: 'hello' }]] });
  registry.add('a/b', 'v1', image);
  let broken = false;
  registry.override = (_, response, path) => {
    if (broken || !path.endsWith(image.layers[0]!.digest)) return false;
    broken = true;
    response.destroy();
    return true;
  };
  await store.images.pull(testCall, { reference: `${registry.host}/a/b:v1` });
  expect(retries).toBe(1);
});
