import { existsSync, mkdirSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { testUsers } from '../sys/testing/test-users.ts';
import { withIdmappedLayers } from './idmapped-layers.ts';

/** Two layers in one directory. */
function setUp() {
  const dir = tempDir();
  const layers = [dir.join('layers', 'a'), dir.join('layers', 'b')];
  for (const layer of layers) mkdirSync(layer, { recursive: true });
  return { ...dir, layers, at: dir.join('at') };
}

test('layers are seen in their order with their ids mapped, and nothing is left of that', async () => {
  using store = setUp();
  let seen: readonly (readonly [string, number])[] = [];
  using users = await testUsers();
  await withIdmappedLayers(
    { users, at: store.at },
    () => store.layers,
    (layers) => {
      seen = layers.map((layer) => [layer, statSync(layer).uid]);
    },
  );
  expect(seen).toEqual([
    [`${store.at}/a`, users.mapping.hostId],
    [`${store.at}/b`, users.mapping.hostId],
  ]);
  expect(existsSync(store.at)).toBe(false);
});

test('nothing is left when the work on them fails', async () => {
  using store = setUp();
  using users = await testUsers();
  const failing = withIdmappedLayers(
    { users, at: store.at },
    () => store.layers,
    () => {
      throw new Error('no overlay');
    },
  );
  await expect(failing).rejects.toThrow('no overlay');
  expect(existsSync(store.at)).toBe(false);
});

test('without users they are as they are', async () => {
  using store = setUp();
  let seen: readonly string[] = [];
  await withIdmappedLayers(
    { users: undefined, at: store.at },
    () => store.layers,
    (layers) => {
      seen = layers;
    },
  );
  expect(seen).toEqual(store.layers);
  expect(existsSync(store.at)).toBe(false);
});
