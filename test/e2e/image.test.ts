// Images: pulled from a real registry, told of, shared, removed.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { buildImage, type BuiltImage } from './harness/image-builder.ts';
import { TestPod } from './harness/pod.ts';
import { Registry } from './harness/registry.ts';
import { busyboxEntries, TEST_IMAGE } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';
import type { ImageSpec } from '../../api/cri/generated/types.ts';

const node = useNode();

let registry: Registry;
let small: BuiltImage;

beforeAll(async () => {
  registry = await Registry.start(node.place);
  small = await buildImage({
    layers: [{ entries: [{ path: '/hello', data: 'hello\n' }] }],
    config: { User: 'nobody', Labels: { a: 'b' } },
  });
});

afterEach(async () => {
  const { images } = await node.client.listImages();
  const ours = images.filter(({ repoTags }) => !repoTags.includes(TEST_IMAGE));
  for (const { id } of ours) await node.client.removeImage({ image: { image: id } });
});

afterAll(() => registry[Symbol.asyncDispose]());

async function pull(image: string): Promise<string> {
  return (await node.client.pullImage({ image: { image } })).imageRef;
}

async function imageStatus(image: string): Promise<{ spec?: ImageSpec | undefined; id: string } | undefined> {
  return (await node.client.imageStatus({ image: { image } })).image;
}

function layersOnDisk(): number {
  return readdirSync(join(node.place.root, 'layers')).length;
}

test('an image is pulled by its tag, and the answer is its id', async () => {
  const digest = await registry.push('apps/small', 'v1', small);
  expect(await pull(`${registry.host}/apps/small:v1`)).toBe(small.id);
  expect(await imageStatus(`${registry.host}/apps/small:v1`)).toMatchObject({
    id: small.id,
    repoTags: [`${registry.host}/apps/small:v1`],
    repoDigests: [`${registry.host}/apps/small@${digest}`],
    username: 'nobody',
    uid: undefined,
    pinned: false,
  });
});

test('the size of an image is that of its parts, and never 0', async () => {
  await registry.push('apps/small', 'v1', small);
  await pull(`${registry.host}/apps/small:v1`);
  const { image } = await node.client.imageStatus({ image: { image: small.id } });
  expect(image?.size).toBeGreaterThan(0n);
});

test('an image is pulled by its digest, and found by it', async () => {
  const digest = await registry.push('apps/small', 'v1', small);
  const reference = `${registry.host}/apps/small@${digest}`;
  expect(await pull(reference)).toBe(small.id);
  expect(await imageStatus(reference)).toMatchObject({
    id: small.id,
    repoTags: [],
    repoDigests: [reference],
  });
});

test('an image is found by its id, by the id without its algorithm, and by each of its names', async () => {
  await registry.push('apps/small', 'v1', small);
  await registry.push('apps/other', 'v2', small);
  await pull(`${registry.host}/apps/small:v1`);
  await pull(`${registry.host}/apps/other:v2`);
  const names = [
    small.id,
    small.id.slice(7),
    `${registry.host}/apps/small:v1`,
    `${registry.host}/apps/other:v2`,
  ];
  const found = await Promise.all(names.map((name) => imageStatus(name)));
  expect(found.map((image) => image?.id)).toEqual(names.map(() => small.id));
});

test('a tag that was moved leads to the new image after the next pull', async () => {
  const changed = await buildImage({ layers: [{ entries: [{ path: '/hello', data: 'changed\n' }] }] });
  await registry.push('apps/moving', 'latest', small);
  await pull(`${registry.host}/apps/moving`);
  await registry.push('apps/moving', 'latest', changed);
  expect(await pull(`${registry.host}/apps/moving`)).toBe(changed.id);
  expect((await imageStatus(`${registry.host}/apps/moving:latest`))?.id).toBe(changed.id);
  expect(await imageStatus(small.id)).toMatchObject({ repoTags: [] });
});

test('Docker’s media types and each compression give a file system', async () => {
  const image = await buildImage({
    docker: true,
    layers: [
      { entries: busyboxEntries(), compression: 'gzip' },
      { entries: [{ path: '/two', data: '2' }], compression: 'none' },
    ],
    config: { Env: ['PATH=/bin'], Cmd: ['cat', '/two'] },
  });
  await registry.push('apps/docker', 'v1', image);
  const reference = `${registry.host}/apps/docker:v1`;
  await pull(reference);
  const pod = await TestPod.run(node);
  expect(await pod.output([], { image: reference })).toBe('2');
  await pod.remove();
});

test('many pulls of one image at the same time are one', async () => {
  await registry.push('apps/small', 'v1', small);
  const refs = await Promise.all(Array.from({ length: 8 }, () => pull(`${registry.host}/apps/small:v1`)));
  expect(new Set(refs)).toEqual(new Set([small.id]));
});

test('layers that images share are on the disk once, and go with the last of them', async () => {
  const before = layersOnDisk();
  const shared = { entries: [{ path: '/shared', data: 'x'.repeat(1000) }] };
  const [one, two] = await Promise.all(
    ['1', '2'].map((data) => buildImage({ layers: [shared, { entries: [{ path: '/own', data }] }] })),
  );
  await registry.push('apps/one', 'v1', one!);
  await registry.push('apps/two', 'v1', two!);
  await pull(`${registry.host}/apps/one:v1`);
  await pull(`${registry.host}/apps/two:v1`);
  expect(layersOnDisk()).toBe(before + 3);
  await node.client.removeImage({ image: { image: one!.id } });
  await eventually('the layer of the first image is gone', () => layersOnDisk() === before + 2);
  await node.client.removeImage({ image: { image: two!.id } });
  await eventually('all their layers are gone', () => layersOnDisk() === before);
});

test('removing an image by one name removes all its names, and may be repeated', async () => {
  await registry.push('apps/small', 'v1', small);
  await registry.push('apps/other', 'v2', small);
  await pull(`${registry.host}/apps/small:v1`);
  await pull(`${registry.host}/apps/other:v2`);
  const image = { image: `${registry.host}/apps/small:v1` };
  await node.client.removeImage({ image });
  await node.client.removeImage({ image });
  expect(await imageStatus(`${registry.host}/apps/other:v2`)).toBeUndefined();
});

test('an image that is not there is no error, but absent', async () => {
  expect(await node.client.imageStatus({ image: { image: 'davit.local/nobody:v1' } })).toMatchObject({
    image: undefined,
  });
});

test('a list takes a name, and the streamed list is the list', async () => {
  await registry.push('apps/small', 'v1', small);
  await pull(`${registry.host}/apps/small:v1`);
  const all = await node.client.listImages();
  const filter = { image: { image: `${registry.host}/apps/small:v1` } };
  const streamed = [];
  for await (const { images } of node.client.streamImages()) streamed.push(...images);
  expect(all.images.map(({ id }) => id)).toHaveLength(2);
  expect(streamed).toEqual(all.images);
  expect((await node.client.listImages({ filter })).images.map(({ id }) => id)).toEqual([small.id]);
  expect((await node.client.listImages({ filter: { image: { image: 'nobody' } } })).images).toEqual([]);
});

test('an image whose containers still are is not removed under them', async () => {
  const image = await buildImage({ layers: [{ entries: busyboxEntries() }], config: { Env: ['PATH=/bin'] } });
  await registry.push('apps/used', 'v1', image);
  const reference = `${registry.host}/apps/used:v1`;
  await pull(reference);
  const pod = await TestPod.run(node);
  const container = await pod.start({ image: reference });
  await node.client.removeImage({ image: { image: reference } }).catch(() => undefined);
  expect((await container.exec(['echo', 'still here'])).stdout).toBe('still here\n');
  expect((await container.status()).imageRef).toBe(image.id);
  await pod.remove();
});

test('the file system of images is told with its use', async () => {
  const { imageFilesystems } = await node.client.imageFsInfo();
  expect(imageFilesystems).toHaveLength(1);
  expect(imageFilesystems[0]?.fsId?.mountpoint).toContain(node.place.root);
  expect(imageFilesystems[0]?.usedBytes?.value).toBeGreaterThan(1_000_000n);
  expect(imageFilesystems[0]?.inodesUsed?.value).toBeGreaterThan(100n);
  expect(imageFilesystems[0]?.timestamp).toBeGreaterThan(BigInt(Date.now() - 60_000) * 1_000_000n);
});

test('the file system of containers is told with what they have written', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  await container.exec(['dd', 'if=/dev/zero', 'of=/written', 'bs=1M', 'count=2']);
  const { containerFilesystems } = await node.client.imageFsInfo();
  await pod.remove();
  const written = containerFilesystems[0]?.usedBytes?.value ?? 0n;
  expect(containerFilesystems[0]?.fsId?.mountpoint).toBe(node.place.root);
  expect(written).toBeGreaterThanOrEqual(2n << 20n);
  expect(written).toBeLessThan(3n << 20n);
});

test('the timeline of a pod has the pull of its image, and so has that of the container', async () => {
  const layers = [{ entries: busyboxEntries() }, { entries: [{ path: '/timed', data: 'only here\n' }] }];
  await registry.push('apps/timed', 'v1', await buildImage({ layers }));
  const image = `${registry.host}/apps/timed:v1`;
  const pod = await TestPod.run(node);
  await node.client.pullImage({ image: { image }, sandboxConfig: pod.config });
  const container = await pod.start({ image });
  await pod.start({ name: 'other' });

  const ofContainer = await node.client.containerStatus({ containerId: container.id, verbose: true });
  const ofPod = await node.client.podSandboxStatus({ podSandboxId: pod.id, verbose: true });

  const namesIn = (info: Readonly<Record<string, string>>) =>
    (JSON.parse(info['timeline'] ?? '[]') as { name: string }[]).map(({ name }) => name);
  const own: unknown[] = [
    `pull ${image}`,
    'resolve reference',
    'fetch manifest and config',
    'fetch and unpack layers',
    expect.stringMatching(/^wait for layer [0-9a-f]{12}$/),
    expect.stringMatching(/^download layer [0-9a-f]{12}$/),
    expect.stringMatching(/^unpack layer [0-9a-f]{12}$/),
    'create main',
    'mount root filesystem',
    'start main',
  ];
  expect(namesIn(ofContainer.info)).toEqual(expect.arrayContaining(own));
  expect(namesIn(ofContainer.info)).not.toContain('create other');
  expect(namesIn(ofPod.info)).toEqual(
    expect.arrayContaining(['run pod sandbox', 'attach network', ...own, 'create other']),
  );
  await pod.remove(); // or the image could not be removed
});
