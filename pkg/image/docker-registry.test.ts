// Against a real registry, Debian's docker-registry, filled by skopeo.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { OCI_INDEX, OCI_MANIFEST } from './media-types.ts';
import { hostPlatform } from './platform.ts';
import { DockerRegistry } from './testing/docker-registry.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { toOciArchive } from './testing/image-archive.ts';
import { listTree } from './testing/list-tree.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { pushImage, pushIndex, pushManifest } from './testing/push.ts';
import { buildImage, toBlob, toDescriptor } from './testing/test-image.ts';

let dir: string;
let host: string;
let registry: DockerRegistry;
let store: TestImages;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-registry-'));
  registry = await DockerRegistry.start();
  host = registry.host;
  store = await TestImages.open();
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** A tree with what images contain, packed by GNU tar in two layers. */
function packLayers(): { layers: Buffer[]; expected: string } {
  const [lower, upper, expected] = ['lower', 'upper', 'expected'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [join(lower, 'etc/sub'), join(lower, 'bin'), join(upper, 'etc'), expected]) {
    mkdirSync(path, { recursive: true });
  }
  writeFileSync(join(lower, 'etc/passwd'), 'root:x:0:0\n', { mode: 0o640 });
  writeFileSync(join(lower, 'bin/tool'), Buffer.alloc(3_000_000, 'tool'));
  writeFileSync(join(upper, 'etc/new'), 'new');
  const run = (cwd: string, file: string, ...args: string[]) => execFileSync(file, args, { cwd });
  run(lower, 'ln', 'bin/tool', 'bin/tool2');
  run(lower, 'ln', '-s', 'bin/tool', 'link');
  run(lower, 'mknod', 'null', 'c', '1', '3');
  run(lower, 'chown', '100:101', 'etc/passwd', 'etc/sub');
  run(lower, 'chmod', '4755', 'bin/tool');
  run(lower, 'setcap', 'cap_net_raw+ep', 'bin/tool');
  run(lower, 'touch', '-d', '2020-02-02 02:02:02.020202020', 'etc/passwd', 'bin', '.');
  run(upper, 'touch', '-d', '2021-01-01 00:00:00.1', 'etc', '.');
  const options = ['--xattrs', '--xattrs-include=*', '--numeric-owner'];
  const layers = [lower, upper].map((path) =>
    execFileSync('tar', [...options, '--format=posix', '-C', path, '-cf', '-', '.'], { maxBuffer: 1 << 26 }),
  );
  for (const input of layers) execFileSync('tar', [...options, '-C', expected, '-xpf', '-'], { input });
  return { layers, expected };
}

test('an image that skopeo pushed is pulled, and its tree is what GNU tar makes of its layers', async () => {
  const { layers, expected } = packLayers();
  const built = buildImage({ layers });
  writeFileSync(join(dir, 'image.tar'), toOciArchive(built));
  execFileSync('skopeo', [
    'copy',
    '-q',
    '--dest-tls-verify=false',
    `oci-archive:${dir}/image.tar`,
    `docker://${host}/a/b:v1`,
  ]);
  const image = await store.images.pull(testCall, { reference: `${host}/a/b:v1` });
  const { rootfs } = await store.images.snapshots.prepare(testCall, testContainerId('a'), image.id);
  expect(image.id).toBe(built.config.digest);
  expect(listTree(rootfs)).toEqual(listTree(expected));
});

test('an index in the registry gives the image for this machine, under the digest of the index', async () => {
  const built = buildImage({ layers: [[{ name: 'x', content: 'index' }]], compression: 'zstd' });
  const index = await pushIndex(host, 'multi/arch', 'v1', { image: built });
  const image = await store.images.pull(testCall, { reference: `${host}/multi/arch:v1` });
  expect(image).toMatchObject({
    id: built.config.digest,
    repoDigests: [`${host}/multi/arch@${index.digest}`],
  });
});

test('what the registry does not have is not found', async () => {
  await pushImage(host, 'a/c', 'v1', buildImage({ layers: [[{ name: 'x' }]] }));
  for (const name of ['a/c:v2', 'no/such:v1']) {
    await expect(store.images.pull(testCall, { reference: `${host}/${name}` })).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    );
  }
});

test('an index in an index is followed, and what is no image for us is passed over', async () => {
  const built = buildImage({ layers: [[{ name: 'x', content: 'nested' }]] });
  const inner = await pushIndex(host, 'nested/app', 'inner', { image: built });
  const attestation = {
    mediaType: OCI_MANIFEST,
    digest: built.manifest.digest,
    size: built.manifest.data.length,
  };
  const manifests = [
    { ...attestation, platform: { os: 'unknown', architecture: 'unknown' } },
    { ...attestation, platform: hostPlatform(), artifactType: 'application/vnd.example.sbom' },
    { ...toDescriptor(inner), platform: hostPlatform() },
  ];
  const outer = toBlob({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, OCI_INDEX);
  await pushManifest(host, 'nested/app', 'v1', outer);
  const image = await store.images.pull(testCall, { reference: `${host}/nested/app:v1` });
  expect(image).toMatchObject({
    id: built.config.digest,
    repoDigests: [`${host}/nested/app@${outer.digest}`],
  });
});

test('a registry at an IPv6 address is pulled from', async () => {
  const built = buildImage({ layers: [[{ name: 'x', content: 'IPv6' }]] });
  await pushImage(host, 'six/app', 'v1', built);
  await using six = await FaultProxy.start(host, '::1');
  const image = await store.images.pull(testCall, { reference: `${six.host}/six/app:v1` });
  expect(image.repoTags).toEqual([expect.stringMatching(/^\[::1\]:\d+\/six\/app:v1$/)]);
});
