// Pulls that cannot succeed: the right code, a message that names the thing, and nothing left of the try.

import { createServer, type Server } from 'node:http';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { buildImage, descriptorOf, digestOf, toBlob, type BuiltImage } from './harness/image-builder.ts';
import { writeOciArchive } from './harness/image-archive.ts';
import { freePort, Registry } from './harness/registry.ts';
import { refusalOf, type Refusal } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

let registry: Registry;
let before: readonly string[];

/** Everything below the directories of images. */
function filesOfImages(): string[] {
  return ['layers', 'ingest', 'snapshots'].flatMap((name) => readdirSync(join(node.place.root, name)));
}

function pull(image: string): Promise<Refusal> {
  return refusalOf(node.client.pullImage({ image: { image } }));
}

/** Unlike all others, so that no earlier pull has its layers. */
function newImage(): Promise<BuiltImage> {
  const data = randomBytes(200_000);
  return buildImage({ layers: [{ entries: [{ path: '/data', data }], compression: 'gzip' }] });
}

beforeAll(async () => {
  registry = await Registry.start(node.place);
  before = filesOfImages();
});

afterEach(async () => {
  await eventually('nothing of a pull is left', () => filesOfImages().length === before.length);
  expect(filesOfImages()).toEqual(before);
  expect((await node.client.listImages()).images).toHaveLength(1);
});

afterAll(() => registry[Symbol.asyncDispose]());

test('a tag that the registry does not have is told', async () => {
  const { code, message } = await pull(`${registry.host}/apps/missing:v1`);
  expect(code).toBe('NOT_FOUND');
  expect(message).toContain(`${registry.host}/apps/missing:v1`);
});

test('a registry that nobody serves is unavailable, in the word that the kubelet looks for', async () => {
  const host = `127.0.0.1:${await freePort()}`;
  const { code, message } = await pull(`${host}/apps/any:v1`);
  expect(code).toBe('UNKNOWN'); // with any other code the kubelet does not look
  expect(message).toMatch(/^RegistryUnavailable/);
  expect(message).toContain(host);
  expect(message).toContain('ECONNREFUSED');
});

test('a layer that is cut short is told by its digest', async () => {
  const image = await newImage();
  await registry.push('apps/short', 'v1', image);
  const [layer] = image.layers;
  registry.damage(layer!, layer!.data.subarray(0, 100_000));
  const { code, message } = await pull(`${registry.host}/apps/short:v1`);
  expect(code).toBe('DATA_LOSS');
  expect(message).toContain(layer!.digest);
});

test('a layer with other bytes than its digest says is refused', async () => {
  const image = await newImage();
  await registry.push('apps/other', 'v1', image);
  const [layer] = image.layers;
  const bytes = Buffer.from(layer!.data);
  bytes[bytes.length - 100] = bytes[bytes.length - 100]! ^ 0xff;
  registry.damage(layer!, bytes);
  const { code, message } = await pull(`${registry.host}/apps/other:v1`);
  expect(code).toBe('DATA_LOSS');
  expect(message).toContain(layer!.digest);
});

test('a layer that is another file system than its config says is refused', async () => {
  const [image, other] = [await newImage(), await newImage()];
  const manifest = toBlob(
    image.manifest.mediaType,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: image.manifest.mediaType,
        config: descriptorOf(image.config),
        layers: other.layers.map(descriptorOf),
      }),
    ),
  );
  await registry.push('apps/mixed', 'v1', image);
  await registry.push('apps/mixed', 'v2', other);
  await registry.pushManifest('apps/mixed', 'v3', manifest);
  const { code, message } = await pull(`${registry.host}/apps/mixed:v3`);
  expect(code).toBe('DATA_LOSS');
  const { rootfs } = JSON.parse(image.config.data.toString()) as { rootfs: { diff_ids: string[] } };
  expect(message).toContain(`cannot use layer "${rootfs.diff_ids[0] ?? ''}"`);
});

test('a manifest with other bytes than the digest that was asked for is refused', async () => {
  const image = await newImage();
  await registry.push('apps/manifest', 'v1', image);
  registry.damage(image.manifest, Buffer.concat([image.manifest.data, Buffer.from(' ')]));
  const { code, message } = await pull(`${registry.host}/apps/manifest@${image.manifest.digest}`);
  expect(code).toBe('DATA_LOSS');
  expect(message).toContain(image.manifest.digest);
});

test('a digest that the registry does not have is told', async () => {
  const digest = digestOf(Buffer.from('nobody'));
  const { code, message } = await pull(`${registry.host}/apps/missing@${digest}`);
  expect(code).toBe('NOT_FOUND');
  expect(message).toContain(digest);
});

test.each([
  '127.0.0.1/UPPER/case',
  'a b',
  '',
  'host/name:tag:tag',
  'name@sha256:short',
  '../escape',
  'name:-tag',
])('the malformed reference "%s" is refused by its text', async (reference) => {
  const { code, message } = await pull(reference);
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain(reference === '' ? 'image' : `"${reference}"`);
});

test('a pull whose caller hangs up ends, and leaves nothing', async () => {
  await using server = await silentServer();
  const caller = new AbortController();
  const image = { image: `127.0.0.1:${server.port}/apps/slow:v1` };
  const call = node.client.pullImage({ image }, { signal: caller.signal });
  await server.asked;
  caller.abort();
  await expect(call).rejects.toThrow('aborted');
});

/** Takes requests and never answers them. */
async function silentServer(): Promise<AsyncDisposable & { port: number; asked: Promise<unknown> }> {
  const server: Server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port, // it listens on a port
    asked: once(server, 'request'),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

test('an archive that is not there is told by its path', async () => {
  const path = join(node.place.dir, 'missing.tar');
  expect(await refusalOf(node.davit.loadImages({ path }))).toEqual({
    code: 'NOT_FOUND',
    message: expect.stringContaining(`cannot find archive "${path}"`) as string,
  });
});

test('a file that is no archive is told by its path', async () => {
  const path = join(node.place.dir, 'nonsense.tar');
  writeFileSync(path, 'nonsense'.repeat(1000));
  const { code, message } = await refusalOf(node.davit.loadImages({ path }));
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain(path);
});

test('an archive with a damaged layer is refused whole', async () => {
  const path = join(node.place.dir, 'damaged.tar');
  const image = await newImage();
  const [layer] = image.layers;
  const layers = [{ ...layer!, data: Buffer.alloc(layer!.data.length, 1) }];
  await writeOciArchive(path, 'davit.local/damaged:v1', { ...image, layers });
  const { code, message } = await refusalOf(node.davit.loadImages({ path }));
  expect(code).toBe('DATA_LOSS');
  expect(message).toContain(layer!.digest);
});

test('a container of an image that was never pulled is refused by the name', async () => {
  const { podSandboxId } = await node.client.runPodSandbox({
    config: { metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 0 } },
  });
  const config = { metadata: { name: 'c' }, image: { image: 'davit.local/nobody:v1' } };
  expect(await refusalOf(node.client.createContainer({ podSandboxId, config }))).toEqual({
    code: 'NOT_FOUND',
    message: 'image "davit.local/nobody:v1" is not on this node: pull it first',
  });
});
