// Artifacts, from Debian's docker-registry to the files in a volume.

import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { Image } from './image.ts';
import { DockerRegistry } from './testing/docker-registry.ts';
import { toOciArchive } from './testing/image-archive.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { pushImage, pushManifest } from './testing/push.ts';
import { buildArtifact } from './testing/test-artifact.ts';
import { toBlob, toDescriptor, type TestImage } from './testing/test-image.ts';

const CONTAINER = testContainerId('a');
const BIG = Buffer.alloc(3_000_000, 'weights ');
const MODEL = buildArtifact({
  files: [
    ['README.md', 'a model\n'],
    ['weights/a.bin', BIG],
    ['weights/empty', ''],
  ],
});

let registry: DockerRegistry;
let store: TestImages;

beforeAll(async () => {
  registry = await DockerRegistry.start();
});
beforeEach(async () => {
  store = await TestImages.open();
});
afterEach(async () => {
  await store.images.volumes.remove(CONTAINER);
  await store[Symbol.asyncDispose]();
});
afterAll(() => registry[Symbol.asyncDispose]());

async function pull(artifact: TestImage, tag: string): Promise<Image> {
  await pushImage(registry.host, 'models/a', tag, artifact);
  return await store.images.pull(testCall, { reference: `${registry.host}/models/a:${tag}` });
}

async function mount({ id: imageId }: Image, subPath = ''): Promise<string> {
  const [path = ''] = await store.images.volumes.mount(testCall, CONTAINER, [{ imageId, subPath }]);
  return path;
}

test('an artifact is known by the digest of its manifest, with its type and its size', async () => {
  expect(await pull(MODEL, 'v1')).toMatchObject({
    id: MODEL.manifest.digest,
    artifactType: 'application/vnd.example.model',
    repoTags: [`${registry.host}/models/a:v1`],
    repoDigests: [`${registry.host}/models/a@${MODEL.manifest.digest}`],
    sizeBytes: BIG.length + 'a model\n'.length + '{}'.length,
    os: '',
    chainIds: [expect.any(String), expect.any(String), expect.any(String)] as string[],
  });
});

test('its files are in the volume under their names, and nobody may change or run them', async () => {
  const path = await mount(await pull(MODEL, 'v1'));
  expect(readdirSync(path).sort()).toEqual(['README.md', 'weights']);
  expect(readFileSync(join(path, 'README.md'), 'utf8')).toBe('a model\n');
  expect(readFileSync(join(path, 'weights/a.bin')).equals(BIG)).toBe(true);
  expect(readFileSync(join(path, 'weights/empty')).length).toBe(0);
  expect(statSync(join(path, 'README.md'))).toMatchObject({ mode: 0o100444, uid: 0, gid: 0 });
  expect(statSync(join(path, 'weights')).mode).toBe(0o040755);
  expect(() => {
    writeFileSync(join(path, 'new'), '');
  }).toThrow(/EROFS/);
});

test('one file of it can be mounted', async () => {
  const image = await pull(buildArtifact({ files: [['a/b', 'only']] }), 'single');
  expect(readFileSync(await mount(image, 'a/b'), 'utf8')).toBe('only');
});

test('a file that two artifacts have is on disk once, and stays until both are gone', async () => {
  const first = await pull(MODEL, 'v1');
  const second = await pull(
    buildArtifact({
      files: [
        ['weights/a.bin', BIG],
        ['README.md', 'another\n'],
      ],
    }),
    'v2',
  );
  expect((await store.onDisk()).layers).toHaveLength(4);
  await store.images.remove(testCall, first.id);
  expect((await store.onDisk()).layers).toHaveLength(2);
  expect(readFileSync(join(await mount(second), 'weights/a.bin')).equals(BIG)).toBe(true);
  await store.images.volumes.remove(CONTAINER);
  await store.images.remove(testCall, second.id);
  expect(await store.onDisk()).toEqual({ layers: [], ingest: [] });
});

test('it is there after a restart, and pulled again it is the same', async () => {
  const before = await pull(MODEL, 'v1');
  await store.reopen();
  expect(store.images.find(`${registry.host}/models/a:v1`)).toEqual(before);
  expect((await pull(MODEL, 'v1')).id).toBe(before.id);
});

test('a file of it that was damaged on the disk is found, and fetched again', async () => {
  const image = await pull(buildArtifact({ files: [['a', 'right']] }), 'to-damage');
  const [layer = ''] = (await store.onDisk()).layers;
  writeFileSync(join(store.root, 'layers', layer, 'a'), 'wrong');
  const healths: string[] = [];
  for await (const { health } of store.images.verification.verify(testCall, { names: [], repair: true }))
    healths.push(health);
  expect(healths).toEqual(['repaired']);
  expect(readFileSync(await mount(image, 'a'), 'utf8')).toBe('right');
});

test('an artifact with bytes that are not those of its digest is refused, and nothing is kept', async () => {
  const artifact = buildArtifact({
    files: [
      ['a', 'right'],
      ['b', 'also right'],
    ],
  });
  await pushImage(registry.host, 'models/a', 'damaged', artifact);
  const hex = artifact.layers[0]?.digest.slice('sha256:'.length) ?? '';
  writeFileSync(
    join(registry.dataDir, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data'),
    'wrong',
  );
  await expect(
    store.images.pull(testCall, { reference: `${registry.host}/models/a:damaged` }),
  ).rejects.toMatchObject({ code: 'data_loss' });
  expect(await store.onDisk()).toEqual({ layers: [], ingest: [] });
});

test('an index without a platform leads to its only artifact', async () => {
  await pushImage(registry.host, 'models/a', MODEL.manifest.digest, MODEL);
  const mediaType = 'application/vnd.oci.image.index.v1+json';
  const entry = { ...toDescriptor(MODEL.manifest), artifactType: 'application/vnd.example.model' };
  await pushManifest(
    registry.host,
    'models/a',
    'index',
    toBlob({ schemaVersion: 2, mediaType, manifests: [entry] }, mediaType),
  );
  const image = await store.images.pull(testCall, { reference: `${registry.host}/models/a:index` });
  expect(image.id).toBe(MODEL.manifest.digest);
});

test('an artifact can be loaded from an archive', async () => {
  const path = join(store.dir, 'model.tar');
  writeFileSync(path, toOciArchive(MODEL, 'models.local/a:1'));
  const [image] = await store.images.load(testCall, path);
  expect(image).toMatchObject({ id: MODEL.manifest.digest, repoTags: ['models.local/a:1'] });
});
