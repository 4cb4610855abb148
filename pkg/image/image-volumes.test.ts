import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { ContainerId, ImageId } from '../base/id.ts';
import { isMountPoint, unmount } from '../sys/mount.ts';
import { sha256Of } from './digest.ts';
import { toOciArchive } from './testing/image-archive.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { buildImage, type TestImageOptions } from './testing/test-image.ts';

const c1 = testContainerId('a');
let store: TestImages;

beforeEach(async () => {
  store = await TestImages.open();
});
afterEach(async () => {
  await store.images.volumes.remove(c1);
  await store[Symbol.asyncDispose]();
});

async function install(layers: TestImageOptions['layers']): Promise<ImageId> {
  const path = join(store.dir, 'archive');
  writeFileSync(path, toOciArchive(buildImage({ layers })));
  const [image] = await store.images.load(testCall, path);
  return image!.id;
}

async function mount(imageId: ImageId, subPath = ''): Promise<string> {
  const [source] = await store.images.volumes.mount(testCall, c1, [{ imageId, subPath }]);
  return source!;
}

const model: TestImageOptions['layers'] = [
  [{ name: 'model/weights', content: 'old' }, { name: 'gone' }],
  [{ name: 'model/weights', content: 'new' }, { name: '.wh.gone' }],
];

test.each([
  ['one layer', [[{ name: 'a', content: 'x' }]], ['a']],
  ['many layers', model, ['model']],
  ['no layers', [], []],
])('an image with %s is mounted as the layers say', async (_, layers, expected) => {
  expect(readdirSync(await mount(await install(layers)))).toEqual(expected);
});

test.each([
  ['one layer', [[{ name: 'a', content: 'x' }]]],
  ['many layers', model],
])('an image with %s cannot be written', async (_, layers) => {
  const root = await mount(await install(layers));
  expect(() => {
    writeFileSync(join(root, 'new'), '');
  }).toThrow('EROFS');
});

test('a sub path is a directory or a file of the image, its links followed inside the image', async () => {
  const image = await install([
    [
      { name: 'etc/passwd', content: 'root' },
      { name: 'out', kind: 'symlink', linkName: '/etc' },
    ],
  ]);
  const sources = await store.images.volumes.mount(testCall, c1, [
    { imageId: image, subPath: 'out' },
    { imageId: image, subPath: '../../etc/passwd' },
  ]);
  const volumes = join(store.dir, 'run', 'containers', c1, 'volumes');
  expect(sources).toEqual([join(volumes, '0', 'etc'), join(volumes, '1', 'etc/passwd')]);
  expect(readFileSync(sources[1]!, 'utf8')).toBe('root');
});

test.each(['missing', 'a/below-a-file'])(
  'the sub path "%s" that is not there is refused',
  async (subPath) => {
    const image = await install([[{ name: 'a' }]]);
    await expect(mount(image, subPath)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: `ImageVolumeMountFailed: image "${image}" has no "${subPath}"`,
    });
  },
);

test('an image that is not here is not found', async () => {
  await expect(mount(sha256Of('missing') as ImageId)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringMatching(/^ImageVolumeMountFailed: /) as string,
  });
});

test('mounting can be repeated, after a reboot too, and removing takes everything away', async () => {
  const image = await install(model);
  const root = await mount(image);
  expect(await mount(image)).toBe(root);
  unmount(root); // as after a reboot
  await mount(image);
  expect(readFileSync(join(root, 'model/weights'), 'utf8')).toBe('new');
  await store.images.volumes.remove(c1);
  await store.images.volumes.remove(c1);
  expect(readdirSync(join(store.dir, 'run', 'containers', c1))).toEqual([]);
});

test('a directory that a crash left without its mount is taken away too', async () => {
  const dir = join(store.dir, 'run', 'containers', c1, 'volumes', '0');
  mkdirSync(dir, { recursive: true });
  await store.images.volumes.remove(c1);
  expect(isMountPoint(dir)).toBe(false);
  expect(readdirSync(join(store.dir, 'run', 'containers', c1))).toEqual([]);
});

test('an id that is none cannot lead elsewhere', async () => {
  await expect(store.images.volumes.remove('../x' as ContainerId)).rejects.toMatchObject({
    code: 'invalid_argument',
  });
});
