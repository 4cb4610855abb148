import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { Image } from './image.ts';
import { buildImageArchive, toDockerArchive, toOciArchive } from './testing/image-archive.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { buildTar } from './testing/tar.ts';
import { buildImage, type TestImage } from './testing/test-image.ts';

let store: TestImages;

beforeEach(async () => {
  store = await TestImages.open();
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
});

const base = [{ name: 'etc/motd', content: 'hello' }];
const small = buildImage({ layers: [base, [{ name: 'top', content: 'x' }]] });
const nothing = { layers: [], ingest: [] };

async function mountedFile(image: Image, path: string): Promise<string> {
  const { rootfs } = await store.images.snapshots.prepare(testCall, testContainerId('a'), image.id);
  return readFileSync(join(rootfs, path), 'utf8');
}

const digests = [`docker.io/library/app@${small.manifest.digest}`];
const archives: [string, (image: TestImage) => Buffer, string[]][] = [
  ['an OCI layout', (image) => toOciArchive(image, 'app:v1'), digests],
  ['an OCI layout, gzip', (image) => gzipSync(toOciArchive(image, 'app:v1')), digests],
  ['an OCI layout, zstd', (image) => zstdCompressSync(toOciArchive(image, 'app:v1')), digests],
  ['an archive of Docker', (image) => toDockerArchive(image, ['app:v1']), []],
];
test.each(archives)('load() installs %s', async (_, pack, repoDigests) => {
  const path = join(store.dir, 'archive');
  writeFileSync(path, pack(small));
  const [image] = await store.images.load(testCall, path);
  expect(image).toMatchObject({
    id: small.config.digest,
    repoTags: ['docker.io/library/app:v1'],
    repoDigests,
  });
  expect(await mountedFile(image!, 'etc/motd')).toBe('hello');
  expect((await store.onDisk()).ingest).toEqual([]);
});

test('load() tells what the archive calls an image, not what else it is called', async () => {
  const path = join(store.dir, 'archive');
  for (const tag of ['app:v1', 'app:v2']) {
    writeFileSync(path, toOciArchive(small, tag));
    const [image] = await store.images.load(testCall, path);
    expect(image?.loadedTags).toEqual([`docker.io/library/${tag}`]);
  }
  expect(store.images.list()[0]?.repoTags).toHaveLength(2);
});

test('layers that no image has are kept for a while after a crash, and then collected', async () => {
  const path = join(store.dir, 'archive');
  writeFileSync(path, toOciArchive(small, 'app:v1'));
  const [image] = await store.images.load(testCall, path);
  const before = await store.onDisk();
  await store.loseRecord(image!.id);
  store.images.start();
  expect(await store.onDisk()).toEqual(before);
  await store.reopen({ unusedLayersKeptMs: 10 });
  store.images.start();
  await expect.poll(() => store.onDisk()).toEqual(nothing);
});

test('load() takes an image without a name', async () => {
  const path = join(store.dir, 'archive');
  writeFileSync(path, buildImageArchive({ files: base }));
  const [image] = await store.images.load(testCall, path);
  expect(image).toMatchObject({ repoTags: [], repoDigests: [] });
});

test.each([
  ['a file that is not there', undefined, 'not_found'],
  ['noise', Buffer.alloc(3000, 0x41), 'invalid_argument'],
  ['an empty file', Buffer.alloc(0), 'invalid_argument'],
  ['damaged gzip', gzipSync(Buffer.alloc(9000, 1)).fill(0xff, 20, 30), 'invalid_argument'],
  ['a tar of something else', buildTar([{ name: 'x' }]), 'invalid_argument'],
  ['an image for another machine', buildImageArchive({ files: base, architecture: 's390x' }), undefined],
  [
    'an archive without its layers',
    buildTar([{ name: 'index.json', content: '{"manifests":[]}' }]),
    'invalid_argument',
  ],
  [
    'a manifest of nothing',
    buildTar([{ name: 'manifest.json', content: '[{"Config":"c","Layers":[]}]' }]),
    'data_loss',
  ],
  [
    'a manifest longer than any',
    buildTar([{ name: 'manifest.json', content: ' '.repeat((16 << 20) + 1) }]),
    'data_loss',
  ],
  [
    'a layer that is damaged',
    toOciArchive({ ...small, layers: small.layers.map((layer) => ({ ...layer, data: Buffer.from('x') })) }),
    'data_loss',
  ],
])('load() of %s is told', async (_, data, code) => {
  const path = join(store.dir, 'archive');
  if (data !== undefined) writeFileSync(path, data);
  const loaded = store.images.load(testCall, path);
  if (code === undefined)
    expect(await loaded).toHaveLength(1); // its config says so, but no index does
  else await expect(loaded).rejects.toThrow(expect.objectContaining({ code }));
  if (code !== undefined) expect(await store.onDisk()).toEqual(nothing);
});
