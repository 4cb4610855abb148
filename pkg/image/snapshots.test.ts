import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { ContainerId, ImageId } from '../base/id.ts';
import { unmount } from '../sys/mount.ts';
import { sha256Of } from './digest.ts';
import type { Image } from './image.ts';
import { toOciArchive } from './testing/image-archive.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { buildImage, type TestImageOptions } from './testing/test-image.ts';

let store: TestImages;

beforeEach(async () => {
  store = await TestImages.open();
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
});

async function install(layers: TestImageOptions['layers']): Promise<Image> {
  const path = join(store.dir, 'archive');
  writeFileSync(path, toOciArchive(buildImage({ layers })));
  const [image] = await store.images.load(testCall, path);
  return image!;
}

async function mount(image: Image, character: string): Promise<string> {
  return (await store.images.snapshots.prepare(testCall, testContainerId(character), image.id)).rootfs;
}

const stat = (path: string) => execFileSync('stat', ['-c', '%a %u:%g %Y', path]).toString().trim();

const layered: TestImageOptions['layers'] = [
  [
    { name: './', mode: 0o711, uid: 5, mtime: 77 },
    { name: 'srv/', mode: 0o1770, uid: 7, gid: 8, mtime: 99, pax: { 'SCHILY.xattr.user.a': 'b' } },
  ],
  [{ name: 'srv/file', content: 'x' }],
];

test('directories that a layer does not list look as in the layers below, the root too', async () => {
  const rootfs = await mount(await install(layered), 'a');
  expect([stat(join(rootfs, 'srv')), stat(rootfs)]).toEqual(['1770 7:8 99', '711 5:0 77']);
});

test('what a container changes of its root stays changed when it is mounted again', async () => {
  const image = await install(layered);
  const rootfs = await mount(image, 'a');
  chmodSync(rootfs, 0o700);
  unmount(rootfs);
  await mount(image, 'a');
  expect((statSync(rootfs).mode & 0o777).toString(8)).toBe('700');
});

test('prepare() can be repeated, and remove() takes everything away', async () => {
  const image = await install([[{ name: 'a' }]]);
  const { snapshots } = store.images;
  const id = testContainerId('b');
  const rootfs = await mount(image, 'b');
  writeFileSync(join(rootfs, 'written'), 'by the container');
  unmount(rootfs); // as after a reboot
  await mount(image, 'b');
  expect(await mount(image, 'b')).toBe(snapshots.rootfsPath(id));
  expect(readFileSync(join(rootfs, 'written'), 'utf8')).toBe('by the container');
  expect(await snapshots.list()).toEqual([id]);
  await snapshots.remove(testCall, id);
  await snapshots.remove(testCall, id);
  expect([await snapshots.list(), existsSync(rootfs)]).toEqual([[], false]);
});

test('containers of one image do not see what the others write', async () => {
  const image = await install([[{ name: 'a' }]]);
  const [first, second] = [await mount(image, 'a'), await mount(image, 'b')];
  writeFileSync(join(first, 'a'), 'changed');
  expect(readFileSync(join(second, 'a'), 'utf8')).toBe('');
});

test('prepare() of an image that is not here is not found', async () => {
  const missing = sha256Of('missing') as ImageId;
  await expect(store.images.snapshots.prepare(testCall, testContainerId('a'), missing)).rejects.toThrow(
    expect.objectContaining({ code: 'not_found' }),
  );
});

test('an id that is none cannot lead elsewhere', async () => {
  await expect(store.images.snapshots.remove(testCall, '../layers' as ContainerId)).rejects.toThrow(
    expect.objectContaining({ code: 'invalid_argument' }),
  );
});

test('128 layers can be mounted, and hide and replace as they say', async () => {
  const image = await install([
    ...Array.from({ length: 126 }, (_, index) => [{ name: `f${index}`, content: String(index) }]),
    [{ name: '.wh.f1' }, { name: 'd/x', content: 'x' }],
    [{ name: 'd/' }, { name: 'd/.wh..wh..opq' }],
  ]);
  const rootfs = await mount(image, 'c');
  expect(readdirSync(rootfs)).toHaveLength(126);
  expect(readdirSync(join(rootfs, 'd'))).toEqual([]);
  expect(existsSync(join(rootfs, 'f1'))).toBe(false);
});

test('an image without layers can be mounted', async () => {
  expect(readdirSync(await mount(await install([]), 'd'))).toEqual([]);
});
