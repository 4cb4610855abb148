import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { ImageId } from '../base/id.ts';
import { mountTmpfs, unmount } from '../sys/mount.ts';
import { sha256Of } from './digest.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { buildTar } from './testing/tar.ts';
import { buildImage, toBlob, toDescriptor, type TestImage } from './testing/test-image.ts';

let registry: FakeRegistry;
let store: TestImages;
const inUse = new Set<ImageId>();

beforeEach(async () => {
  registry = await FakeRegistry.start();
  store = await TestImages.open({ isInUse: (id) => inUse.has(id) });
  inUse.clear();
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const base = [{ name: 'etc/motd', content: 'hello' }];
const small = buildImage({ layers: [base, [{ name: 'top', content: 'x' }]], config: { Cmd: ['sh'] } });
const sibling = buildImage({ layers: [base, [{ name: 'other', content: 'y' }]] });
const ab = (tag: string) => `${registry.host}/a/b:${tag}`;
const pull = (reference: string, signal = testCall.signal) =>
  store.images.pull({ ...testCall, signal }, { reference });
const nothing = { layers: [], ingest: [] };

/** The image that is on disk, seen from a container. */
async function mountedFile(image: { id: ImageId }, path: string): Promise<string> {
  const { rootfs } = await store.images.snapshots.prepare(testCall, testContainerId('a'), image.id);
  return readFileSync(join(rootfs, path), 'utf8');
}

test('pull() brings an image, known by its config, with tag, digest and size', async () => {
  registry.add('a/b', 'latest', small);
  const image = await pull(`${registry.host}/a/b`);
  expect(image).toMatchObject({
    id: small.config.digest,
    repoTags: [ab('latest')],
    repoDigests: [`${registry.host}/a/b@${small.manifest.digest}`],
    sizeBytes: [small.config, ...small.layers].reduce((sum, { data }) => sum + data.length, 0),
    config: { Cmd: ['sh'], Env: [] },
    createdAt: '2026-01-01T00:00:00Z',
  });
  expect(store.images.list()).toEqual([image]);
  expect(await mountedFile(image, 'etc/motd')).toBe('hello');
});

test.each(['none', 'gzip', 'zstd'] as const)(
  'layers compressed with %s are unpacked',
  async (compression) => {
    registry.add('a/b', 'v1', buildImage({ layers: [base], compression }));
    expect(await mountedFile(await pull(ab('v1')), 'etc/motd')).toBe('hello');
  },
);

test('find() knows an image by each of its names, and by the start of its id', async () => {
  registry.add('a/b', 'v1', small);
  const image = await pull(ab('v1'));
  const hex = image.id.slice('sha256:'.length);
  const digest = small.manifest.digest;
  for (const name of [
    image.id,
    hex,
    hex.slice(0, 4),
    `sha256:${hex.slice(0, 12)}`,
    ab('v1'),
    `${ab('v1')}@${digest}`,
  ]) {
    expect(store.images.find(name)?.id).toBe(image.id);
  }
  for (const name of [
    hex.slice(0, 3),
    ab('v2'),
    ab('latest'),
    `${registry.host}/other:v1`,
    'busybox',
    '',
    '//',
    digest,
  ]) {
    expect(store.images.find(name)).toBeUndefined();
  }
});

test('pull() by digest records no tag', async () => {
  registry.add('a/b', 'v1', small);
  const image = await pull(`${registry.host}/a/b:v7@${small.manifest.digest}`);
  expect(image).toMatchObject({
    repoTags: [],
    repoDigests: [`${registry.host}/a/b@${small.manifest.digest}`],
  });
});

test('a tag that moves leaves its first image without it, also after a restart', async () => {
  registry.add('a/b', 'v1', small);
  const first = await pull(ab('v1'));
  registry.add('a/b', 'v1', sibling);
  const second = await pull(ab('v1'));
  await store.reopen();
  expect(store.images.find(first.id)?.repoTags).toEqual([]);
  expect(store.images.find(ab('v1'))).toEqual(second);
  expect(await mountedFile(second, 'other')).toBe('y');
});

test('a second tag of an image is added, without fetching anything twice', async () => {
  registry.add('a/b', 'v1', small);
  registry.add('a/b', 'v2', small);
  await pull(ab('v1'));
  const before = registry.requests.length;
  const image = await pull(ab('v2'));
  expect(image.repoTags).toEqual([ab('v1'), ab('v2')]);
  expect(registry.requests.slice(before)).toEqual(['GET a/b/manifests/v2']);
});

test('equal pulls, and images that share layers, fetch each blob once', async () => {
  registry.add('a/b', 'v1', small);
  registry.add('a/b', 'v2', sibling);
  await Promise.all([pull(ab('v1')), pull(ab('v1')), pull(ab('v2'))]);
  const blobs = registry.requests.filter((line) => line.includes('/blobs/'));
  expect(blobs.sort()).toEqual([...new Set(blobs)]);
  expect((await store.onDisk()).layers).toHaveLength(3);
});

test('pulls with other credentials are not joined', async () => {
  registry.add('a/b', 'v1', small);
  const auth = {
    username: 'u',
    password: 'p',
    auth: '',
    serverAddress: '',
    identityToken: '',
    registryToken: '',
  };
  registry.override = (request, response) => {
    if (request.headers.authorization !== undefined) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    return true;
  };
  const results = await Promise.allSettled([
    pull(ab('v1')),
    store.images.pull(testCall, { reference: ab('v1'), auth }),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});

test('an index gives the image for this machine', async () => {
  const foreign = buildImage({ layers: [[{ name: 'wrong' }]], architecture: 's390x' });
  registry.add('a/b', 'own', small);
  const index = toBlob(
    {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.list.v2+json',
      manifests: [
        { ...toDescriptor(foreign.manifest), platform: { os: 'linux', architecture: 's390x' } },
        {
          ...toDescriptor(small.manifest),
          platform: { os: 'linux', architecture: process.arch.replace('x64', 'amd64') },
        },
      ],
    },
    'application/vnd.docker.distribution.manifest.list.v2+json',
  );
  registry.addManifest('a/b', 'multi', index);
  const image = await pull(ab('multi'));
  expect(image).toMatchObject({
    id: small.config.digest,
    repoDigests: [`${registry.host}/a/b@${index.digest}`],
  });
});

test('remove() forgets all names and deletes what no other image has', async () => {
  for (const [tag, image] of [
    ['v1', small],
    ['v2', small],
    ['v3', sibling],
  ] as [string, TestImage][]) {
    registry.add('a/b', tag, image);
    await pull(ab(tag));
  }
  await store.images.remove(testCall, ab('v1'));
  await store.images.remove(testCall, ab('v1'));
  expect(store.images.list().map(({ repoTags }) => repoTags)).toEqual([[ab('v3')]]);
  expect(await store.onDisk()).toMatchObject({ layers: [expect.anything(), expect.anything()], ingest: [] });
  await store.images.remove(testCall, sibling.config.digest);
  expect(await store.onDisk()).toEqual(nothing);
  expect(await store.images.usage()).toMatchObject({ usedBytes: 0n, inodesUsed: 0n });
});

test('an image that a container uses is not removed', async () => {
  registry.add('a/b', 'v1', small);
  const image = await pull(ab('v1'));
  inUse.add(image.id);
  await expect(store.images.remove(testCall, ab('v1'))).rejects.toThrow(
    expect.objectContaining({
      code: 'failed_precondition',
      message: expect.stringContaining(ab('v1')) as string,
    }),
  );
  expect(store.images.find(ab('v1'))).toEqual(image);
});

test('usage() counts what the layers take', async () => {
  registry.add('a/b', 'v1', small);
  await pull(ab('v1'));
  const { mountpoint, usedBytes, inodesUsed } = await store.images.usage();
  // Two files of a block each and a directory; two roots beside, and two inventories of a block each.
  expect([mountpoint, usedBytes, inodesUsed]).toEqual([store.root, 5n * 4096n, 7n]);
});

test.each<[string, string, (image: TestImage) => void]>([
  [
    'a layer that is not what its digest says',
    'data_loss',
    ({ layers: [first] }) => {
      const data = Buffer.from(first!.data);
      data[data.length - 1]! ^= 1; // the size of the content, at the end of a gzip
      registry.addBlob('a/b', first!, data);
    },
  ],
  [
    'a layer that is another',
    'data_loss',
    ({ layers: [first] }) => {
      const other = gzipSync(buildTar([{ name: 'etc/motd', content: 'HELLO' }]));
      registry.addBlob(
        'a/b',
        first!,
        Buffer.concat([other, Buffer.alloc(first!.data.length)]).subarray(0, first!.data.length),
      );
    },
  ],
  [
    'a truncated layer',
    'data_loss',
    ({ layers: [first] }) => {
      registry.addBlob('a/b', first!, first!.data.subarray(0, 50));
    },
  ],
])('%s is data loss that names the digest, and leaves nothing behind', async (_, code, damage) => {
  registry.add('a/b', 'v1', small);
  damage(small);
  await expect(pull(ab('v1'))).rejects.toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(small.layers[0]!.digest) as string }),
  );
  expect(await store.onDisk()).toEqual(nothing);
  expect(store.images.list()).toEqual([]);
});

test('a layer whose content is not what the config says is data loss', async () => {
  const liar = buildImage({ layers: [base] });
  const config = toBlob(
    JSON.parse(liar.config.data.toString().replace(liar.diffIds[0]!, sha256Of('x'))),
    'x',
  );
  const manifest = toBlob(
    { ...(JSON.parse(liar.manifest.data.toString()) as object), config: toDescriptor(config) },
    liar.manifest.mediaType,
  );
  registry.add('a/b', 'v1', { ...liar, config, manifest });
  await expect(pull(ab('v1'))).rejects.toThrow(
    expect.objectContaining({ code: 'data_loss', message: expect.stringContaining(sha256Of('x')) as string }),
  );
  expect(await store.onDisk()).toEqual(nothing);
});

test('a config that is not what its digest says is data loss', async () => {
  registry.add('a/b', 'v1', small);
  registry.addBlob('a/b', small.config, Buffer.from(small.config.data.toString().replace('sh', 'hs')));
  await expect(pull(ab('v1'))).rejects.toThrow(expect.objectContaining({ code: 'data_loss' }));
});

test.each([
  ['127.0.0.1:1/a/b', 'unavailable', /^RegistryUnavailable: .*127\.0\.0\.1:1/],
  ['A B', 'invalid_argument', /"A B"/],
])('pull("%s") is %s', async (reference, code, message) => {
  await expect(pull(reference)).rejects.toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
  );
});

test('an image that the registry does not have is not found, by name', async () => {
  await expect(pull(ab('v9'))).rejects.toThrow(
    expect.objectContaining({ code: 'not_found', message: expect.stringContaining(ab('v9')) as string }),
  );
});

/** Lets blobs hang until the result is called. */
function holdBlobs(): () => void {
  const held: (() => void)[] = [];
  registry.override = (_, response, path) => {
    const digest = /blobs\/(sha256:.*)$/.exec(path)?.[1];
    const blob = [...small.layers, ...sibling.layers].find((layer) => layer.digest === digest);
    if (blob === undefined) return false;
    held.push(() => response.end(blob.data));
    return true;
  };
  return () => {
    registry.override = () => false;
    for (const release of held) release();
  };
}

const until = async (reached: () => boolean) => {
  for (const end = Date.now() + 10_000; !reached() && Date.now() < end;)
    await new Promise((r) => setTimeout(r, 5));
};
const askedForBlobs = (count: number) => () =>
  registry.requests.filter((line) =>
    [...small.layers, ...sibling.layers].some(({ digest }) => line.includes(digest)),
  ).length >= count;

test('a pull that its caller gives up leaves nothing behind', async () => {
  registry.add('a/b', 'v1', small);
  const release = holdBlobs();
  const abort = new AbortController();
  const pulled = pull(ab('v1'), abort.signal);
  await until(askedForBlobs(2));
  abort.abort(new Error('left'));
  await expect(pulled).rejects.toThrow('left');
  expect(await store.onDisk()).toEqual(nothing);
  release();
});

test('a pull that its caller gives up costs those nothing that wait for the same layer', async () => {
  registry.add('a/b', 'v1', small);
  registry.add('a/b', 'v2', sibling);
  const release = holdBlobs();
  const abort = new AbortController();
  const [left, same, shared] = [pull(ab('v1'), abort.signal), pull(ab('v1')), pull(ab('v2'))];
  await until(askedForBlobs(2));
  abort.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  release();
  expect((await same).id).toBe(small.config.digest);
  expect((await shared).id).toBe(sibling.config.digest);
});

test('what a crash left half done is gone after the next start, and what was whole is kept', async () => {
  registry.add('a/b', 'v1', small);
  const image = await pull(ab('v1'));
  mkdirSync(join(store.root, 'layers/zzz/etc'), { recursive: true });
  mkdirSync(join(store.root, 'ingest/archive-x'));
  await store.reopen();
  expect(await store.onDisk()).toMatchObject({ layers: ['1', '2'], ingest: [] });
  expect(store.images.list()).toEqual([image]);
});

test('a full disk is told as such, and what there was of the image is gone', async () => {
  const small32 = join(store.dir, 'small-disk');
  mkdirSync(small32);
  mountTmpfs(small32, { sizeBytes: 1 << 20, mode: 0o700 });
  try {
    await using full = await TestImages.open({ root: small32 });
    registry.add(
      'a/b',
      'big',
      buildImage({ layers: [[{ name: 'big', content: Buffer.alloc(4 << 20, 'x') }]] }),
    );
    await expect(full.images.pull(testCall, { reference: ab('big') })).rejects.toThrow(
      expect.objectContaining({
        code: 'resource_exhausted',
        message: expect.stringContaining('disk is full') as string,
      }),
    );
    await full.images.settle();
    expect(readdirSync(join(small32, 'layers'))).toEqual([]);
  } finally {
    unmount(small32);
  }
});
