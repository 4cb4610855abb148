// Layers that have suffered on disk: found, not used, fetched again, and only those.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { lsetxattr } from '../sys/libc/file.ts';
import type { Image } from './image.ts';
import type { VerifiedLayer } from './image-verification.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

let registry: FakeRegistry;
let store: TestImages;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  store = await TestImages.open({ boot: { id: 'first boot', endedWell: undefined } });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const BIG = 'the content of a file '.repeat(30_000);
const built = buildImage({
  layers: [
    [
      { name: 'etc/motd', content: 'hello' },
      { name: 'etc/link', kind: 'symlink', linkName: 'motd' },
    ],
    [
      { name: 'usr/' },
      ...['big', 'empty', 'short', 'zeros'].map((name) => ({ name: `usr/${name}`, content: BIG })),
      { name: 'usr/missing', content: 'm' },
      { name: 'usr/owned', content: 'o' },
      { name: 'usr/same', kind: 'hardlink', linkName: 'usr/big' },
      { name: 'usr/tool', content: 'x', mode: 0o4755 },
      { name: 'usr/kind', pax: { 'SCHILY.xattr.user.kind': 'tool' } },
      { name: 'opt/' },
      { name: 'opt/file', content: 'f' },
      { name: 'var/' },
      { name: 'dev/null', kind: 'character', device: [1, 3] },
      { name: 'etc/.wh.gone' },
    ],
    [{ name: 'top', content: 'y' }],
  ],
});

async function pull(): Promise<Image> {
  registry.add('a/b', 'v1', built);
  return await store.images.pull(testCall, { reference: `${registry.host}/a/b:v1` });
}

/** The directory of the layer that has the file in its root. */
function directoryWith(file: string): string {
  const layers = join(store.root, 'layers');
  const found = readdirSync(layers).find((name) => readdirSync(join(layers, name)).includes(file));
  if (found === undefined) throw new Error(`no layer has "${file}"`);
  return join(layers, found);
}

async function verify(repair = false): Promise<VerifiedLayer[]> {
  const found: VerifiedLayer[] = [];
  for await (const layer of store.images.verification.verify(testCall, { names: [], repair }))
    found.push(layer);
  return found;
}

const summary = (layers: readonly VerifiedLayer[]) => layers.map(({ health }) => health);

const blobsAsked = () => registry.requests.filter((request) => request.includes('/blobs/'));

async function prepare(image: Image, character = 'a'): Promise<string> {
  const { rootfs } = await store.images.snapshots.prepare(testCall, testContainerId(character), image.id);
  return rootfs;
}

test('what was unpacked is found intact, down to the last byte', async () => {
  await pull();
  const found = await verify();
  expect(found).toMatchObject([
    { health: 'intact', findings: { problemCount: 0 } },
    { health: 'intact', findings: { bytes: 4 * BIG.length + 4 } },
    { health: 'intact', findings: { files: 2, bytes: 1 } },
  ]);
});

const sh = (layer: string, script: string) =>
  execFileSync('/bin/sh', ['-c', script], { cwd: layer, stdio: 'pipe' });
const keepTime = (path: string, change: () => void) => {
  change();
  utimesSync(path, 1_700_000_000, 1_700_000_000);
};

test('verify finds whatever a container could notice', async () => {
  await pull();
  const dir = directoryWith('usr');
  rmSync(join(dir, 'usr/missing'));
  rmSync(join(dir, 'opt'), { recursive: true });
  truncateSync(join(dir, 'usr/empty'), 0);
  truncateSync(join(dir, 'usr/short'), 10);
  keepTime(join(dir, 'usr/zeros'), () =>
    sh(dir, 'dd if=/dev/zero of=usr/zeros bs=9 count=1 seek=7 conv=notrunc'),
  );
  chmodSync(join(dir, 'usr/tool'), 0o755);
  sh(dir, 'chown 5 usr/owned');
  lsetxattr(join(dir, 'usr/kind'), 'user.kind', Buffer.from('other'));
  sh(dir, 'cp -p usr/big x; mv x usr/same; rm dev/null; mkfifo dev/null; rm etc/gone; touch var/new');
  const [lowest, middle, top] = await verify();
  expect([lowest?.health, middle?.health, top?.health]).toEqual(['intact', 'damaged', 'intact']);
  const problems = Object.fromEntries(middle!.findings.problems.map(({ path, what }) => [path, what]));
  expect(problems).toEqual({
    '/usr/missing': 'it is missing',
    '/opt/file': 'it is missing',
    '/opt': 'it is missing',
    '/usr/empty': `its size is 0 and not ${BIG.length}`,
    '/usr/short': `its size is 10 and not ${BIG.length}`,
    '/usr/zeros': 'its content is another',
    '/usr/tool': 'its mode is 100755 and not 104755',
    '/usr/owned': 'its uid is 5 and not 0',
    '/usr/kind': 'its attribute "user.kind" is another',
    '/usr/same': 'it is not the same file as "/usr/big"',
    '/dev/null': 'its mode is 10644 and not 20644',
    '/etc/gone': 'it is missing',
    '/usr': expect.stringContaining('its time of change is') as unknown,
    '/var': expect.stringContaining('its time of change is') as unknown,
  });
});

test('verify finds a directory that is gone, and an inventory that is not what it was', async () => {
  await pull();
  const inventories = join(store.root, 'inventories');
  rmSync(directoryWith('top'), { recursive: true });
  const [name] = readdirSync(inventories).filter((found) => found === directoryWith('usr').split('/').at(-1));
  writeFileSync(join(inventories, name!), '{"path":"/"}\n', { flag: 'a' });
  const [, middle, top] = await verify();
  expect(middle?.findings.problems).toEqual([
    { path: '/', what: 'the inventory of the layer is not what was written' },
  ]);
  expect(top?.findings.problems).toEqual([{ path: '/', what: 'the directory of the layer is missing' }]);
});

test('a damaged image is not used, is as good as absent, and its next pull fetches the damaged layer alone', async () => {
  const image = await pull();
  truncateSync(join(directoryWith('usr'), 'usr/big'), 0);
  await verify();
  expect(store.images.isUsable(image)).toBe(false);
  expect(store.images.list()).toHaveLength(1);
  await expect(prepare(image)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(
      /^cannot use image .* is damaged, "\/usr\/big": its size is 0 and not \d+; pull/,
    ) as unknown,
  });
  registry.requests.length = 0;
  await pull();
  expect(blobsAsked()).toEqual(
    [built.config, built.layers[1]!].map(({ digest }) => `GET a/b/blobs/${digest}`),
  );
  expect(store.images.isUsable(image)).toBe(true);
  expect(readFileSync(join(await prepare(image), 'usr/big'), 'utf8')).toBe(BIG);
  expect(summary(await verify())).toEqual(['intact', 'intact', 'intact']);
  expect(await store.onDisk()).toMatchObject({ layers: { length: 3 }, ingest: [] });
});

test('verify with repair fetches the damaged layer again, by digest', async () => {
  await pull();
  registry.addManifest('a/b', 'v1', buildImage({ layers: [[]] }).manifest); // the tag has moved
  sh(directoryWith('usr'), 'rm usr/tool');
  expect(summary(await verify(true))).toEqual(['intact', 'repaired', 'intact']);
  expect(summary(await verify())).toEqual(['intact', 'intact', 'intact']);
});

test('a repair that fails says why, and the layer stays marked', async () => {
  const image = await pull();
  sh(directoryWith('usr'), 'rm usr/tool');
  registry.override = (_, response) => {
    response.writeHead(401).end();
    return true;
  };
  const [, middle] = await verify(true);
  expect(middle).toMatchObject({
    health: 'damaged',
    failure: expect.stringContaining('access denied') as unknown,
  });
  await store.reopen();
  expect(store.images.isUsable(image)).toBe(false);
});

test('a running container keeps the directory it stands on until it is gone', async () => {
  const image = await pull();
  const rootfs = await prepare(image);
  const old = directoryWith('usr');
  sh(old, 'rm usr/tool');
  expect(summary(await verify(true))).toEqual(['intact', 'repaired', 'intact']);
  expect(readFileSync(join(rootfs, 'usr/big'), 'utf8')).toBe(BIG);
  expect(readdirSync(join(store.root, 'layers'))).toHaveLength(4);
  await store.reopen();
  expect(readFileSync(join(old, 'usr/big'), 'utf8')).toBe(BIG);
  expect(readFileSync(join(await prepare(image, 'b'), 'usr/tool'), 'utf8')).toBe('x');
  await store.images.snapshots.remove(testCall, testContainerId('a'));
  expect(await store.onDisk()).toMatchObject({ layers: { length: 3 }, ingest: [] });
});

test('a layer whose directory is gone is found at the start', async () => {
  const image = await pull();
  rmSync(directoryWith('top'), { recursive: true });
  await store.reopen();
  expect(store.images.isUsable(image)).toBe(false);
  await pull();
  expect(readFileSync(join(await prepare(image), 'top'), 'utf8')).toBe('y');
});

test('after an unclean boot what it wrote is looked at before it is used', async () => {
  const image = await pull();
  truncateSync(join(directoryWith('usr'), 'usr/big'), 0);
  await store.reopen({ boot: { id: 'second boot', endedWell: undefined } });
  expect(store.images.isUsable(image)).toBe(true); // nobody has looked yet
  await expect(prepare(image)).rejects.toMatchObject({ code: 'failed_precondition' });
  expect(store.images.isUsable(image)).toBe(false);
});

test('after an unclean boot what it wrote is read through in the background, once', async () => {
  const image = await pull();
  const big = join(directoryWith('usr'), 'usr/big');
  keepTime(big, () => sh('/', `dd if=/dev/zero of=${big} bs=4096 count=1 conv=notrunc`));
  await store.reopen({ boot: { id: 'second boot', endedWell: undefined } });
  await prepare(image); // a glance sees nothing
  store.images.start();
  await store.images.settle();
  expect(store.images.isUsable(image)).toBe(false);
  await pull();
  truncateSync(join(directoryWith('top'), 'top'), 0); // proven by now
  await store.reopen({ boot: { id: 'third boot', endedWell: 'second boot' } });
  store.images.start();
  await store.images.settle();
  expect(store.images.isUsable(image)).toBe(true);
});

test('after a boot that ended well nothing is in doubt', async () => {
  const image = await pull();
  truncateSync(join(directoryWith('usr'), 'usr/big'), 0);
  await store.reopen({ boot: { id: 'second boot', endedWell: 'first boot' } });
  store.images.start();
  await store.images.settle();
  expect(store.images.isUsable(image)).toBe(true);
  await store.reopen({ boot: { id: 'third boot', endedWell: undefined } });
  store.images.start();
  await store.images.settle();
  expect(store.images.isUsable(image)).toBe(true);
});
