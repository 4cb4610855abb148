import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { TestImages } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

test('pulls are told of: how they ended, and which layers were fetched or shared', async () => {
  const told: unknown[] = [];
  const observer = {
    pulled: (outcome: string) => told.push(outcome),
    layers: (layers: object) => told.push(layers),
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
});
