import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { pinMatcher } from './pinned.ts';
import { toOciArchive } from './testing/image-archive.ts';
import { TestImages } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

const digest = `sha256:${'0'.repeat(64)}`;
const busybox = {
  repoTags: ['docker.io/library/busybox:1.36'],
  repoDigests: [`docker.io/library/busybox@${digest}`],
};
const pause = { repoTags: ['registry.k8s.io/pause:3.10'], repoDigests: [] };

test.each([
  [[], false, false],
  [['busybox:1.36'], true, false],
  [['busybox'], false, false],
  [['busybox:*'], true, false],
  [['docker.io/library/busybox*'], true, false],
  [[`busybox@${digest}`], true, false],
  [['registry.k8s.io/pause:*'], false, true],
  [['registry.k8s.io/*', 'library/*'], true, true],
  [['*pause*'], false, true],
  [['registry-k8s.io/*', 'registry.k8s.io/paus.:*'], false, false],
  [['*'], true, true],
])('%j pins busybox: %s, pause: %s', (patterns, ...expected) => {
  const isPinned = pinMatcher(patterns);
  expect([isPinned(busybox), isPinned(pause)]).toEqual(expected);
});

test('a pattern that is no name is refused', () => {
  expect(() => pinMatcher(['No Such Name'])).toThrow('No Such Name');
});

test('an image that is pinned is shown so and takes disk for good, but can be removed by who wants it', async () => {
  await using store = await TestImages.open({ pinned: ['app:*'] });
  const { images } = store;
  const path = join(store.dir, 'archive');
  writeFileSync(path, toOciArchive(buildImage({ layers: [[{ name: 'a', content: 'x' }]] }), 'app:v1'));
  const loaded = await images.load(testCall, path);
  expect([...loaded, ...images.list(), images.find('app:v1')]).toMatchObject(Array(3).fill({ pinned: true }));
  expect(images.diskUsage()).toMatchObject({
    images: [{ reclaimableBytes: 0, sharedBytes: 0 }],
    reclaimableBytes: 0,
  });
  await images.remove(testCall, 'app:v1');
  expect(images.list()).toEqual([]);
});
