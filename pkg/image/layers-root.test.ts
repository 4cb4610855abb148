import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

test('layers may have a place of their own, while what containers write stays', async () => {
  const layersRoot = mkdtempSync(join(tmpdir(), 'davit-test-layers-'));
  await using registry = await FakeRegistry.start();
  registry.add('a/b', 'v1', buildImage({ layers: [[{ name: 'etc/motd', content: 'hello' }]] }));
  {
    await using store = await TestImages.open({ layersRoot });
    const image = await store.images.pull(testCall, { reference: `${registry.host}/a/b:v1` });
    const { rootfs } = await store.images.snapshots.prepare(testCall, testContainerId('a'), image.id);
    expect(readFileSync(join(rootfs, 'etc/motd'), 'utf8')).toBe('hello');
    expect(readdirSync(join(layersRoot, 'layers'))).toHaveLength(1);
    expect(readdirSync(store.root).sort()).toEqual(['records', 'snapshots']);
    expect((await store.images.usage()).mountpoint).toBe(layersRoot);
  }
  rmSync(layersRoot, { recursive: true });
});
