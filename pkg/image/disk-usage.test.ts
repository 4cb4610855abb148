import { expect, test } from 'vitest';
import type { ImageId } from '../base/id.ts';
import { sha256Of } from './digest.ts';
import { diskUsage } from './disk-usage.ts';
import type { Image } from './image.ts';

const layers = [
  { id: sha256Of('base'), diskBytes: 100 },
  { id: sha256Of('web'), diskBytes: 20 },
  { id: sha256Of('db'), diskBytes: 3 },
  { id: sha256Of('of nobody'), diskBytes: 1000 },
];

const anImage = (name: string, layerNames: readonly string[]): Image => ({
  id: sha256Of(name) as ImageId,
  repoTags: [name],
  repoDigests: [],
  sizeBytes: 1,
  config: {
    User: '',
    Env: [],
    Entrypoint: [],
    Cmd: [],
    WorkingDir: '',
    StopSignal: '',
    Volumes: [],
    Labels: {},
  },
  os: 'linux',
  architecture: 'amd64',
  createdAt: '',
  chainIds: layerNames.map(sha256Of),
  pinned: false,
  pulledAtMs: 0,
});

const web = anImage('web', ['base', 'web']);
const db = anImage('db', ['base', 'db', 'db']);
const shown = (kept: readonly Image[]) => {
  const { images, ...totals } = diskUsage([web, db], layers, (image) => kept.includes(image));
  return { ...totals, images: images.map(({ image: _, ...bytes }) => bytes) };
};

test('layers of one image are unique, those of several shared, and nothing is counted twice', () => {
  expect(shown([])).toEqual({
    totalBytes: 1123,
    reclaimableBytes: 1123,
    images: [
      { uniqueBytes: 20, sharedBytes: 100, reclaimableBytes: 20 },
      { uniqueBytes: 3, sharedBytes: 100, reclaimableBytes: 3 },
    ],
  });
});

test('an image that is kept gives nothing back, nor do the layers that it shares', () => {
  expect(shown([db])).toEqual({
    totalBytes: 1123,
    reclaimableBytes: 1020,
    images: [
      { uniqueBytes: 20, sharedBytes: 100, reclaimableBytes: 20 },
      { uniqueBytes: 3, sharedBytes: 100, reclaimableBytes: 0 },
    ],
  });
});
