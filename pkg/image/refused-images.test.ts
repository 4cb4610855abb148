// What is no image for us is refused by name, before any of its layers is asked for.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';
import { hostPlatform } from './platform.ts';
import { FakeRegistry } from './testing/fake-registry.ts';
import { TestImages } from './testing/open-images.ts';
import { buildImage, toBlob, toDescriptor } from './testing/test-image.ts';

let registry: FakeRegistry;
let store: TestImages;

beforeAll(async () => {
  registry = await FakeRegistry.start();
  store = await TestImages.open();
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const image = buildImage({ layers: [[{ name: 'a' }]] });
const own = toDescriptor(image.manifest);
const withLayer = (mediaType: string) => ({
  ...(JSON.parse(image.manifest.data.toString()) as object),
  layers: [{ ...toDescriptor(image.layers[0]!), mediaType }],
});
const index = (...manifests: object[]) => ({ schemaVersion: 2, mediaType: OCI_INDEX, manifests });
const { os, architecture } = hostPlatform();

test.each<[string, object, string, readonly [code: string, message: RegExp]]>([
  [
    'Docker schema 1, signed',
    { schemaVersion: 1, fsLayers: [], signatures: [] },
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
    ['unimplemented', /old format Docker schema 1/],
  ],
  [
    'Docker schema 1 under another type',
    { schemaVersion: 1, fsLayers: [] },
    DOCKER_MANIFEST,
    ['unimplemented', /old format Docker schema 1/],
  ],
  [
    'a foreign layer of Docker',
    withLayer('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'),
    OCI_MANIFEST,
    ['unimplemented', /layer "sha256:.*" is foreign/],
  ],
  [
    'a layer that may not be distributed',
    withLayer('application/vnd.oci.image.layer.nondistributable.v1.tar+gzip'),
    OCI_MANIFEST,
    ['unimplemented', /layer "sha256:.*" is foreign/],
  ],
  [
    'an index of attestations alone',
    index(
      { ...own, platform: { os: 'unknown', architecture: 'unknown' } },
      { ...own, platform: { os, architecture }, annotations: { 'vnd.docker.reference.type': 'x' } },
    ),
    OCI_INDEX,
    ['not_found', new RegExp(`image for ${os}/${architecture}`)],
  ],
  [
    'an index for machines with more',
    index({ ...own, platform: { os, architecture, variant: 'v99' } }),
    OCI_INDEX,
    ['not_found', new RegExp(`image for ${os}/${architecture}`)],
  ],
])('%s is refused', async (_, document, mediaType, [code, message]) => {
  registry.addManifest('a/b', 'v1', toBlob(document, mediaType));
  registry.addManifest('a/b', 'own', image.manifest);
  registry.requests.length = 0;
  const pulling = store.images.pull(testCall, { reference: `${registry.host}/a/b:v1` });
  await expect(pulling).rejects.toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
  );
  expect(registry.requests.filter((line) => line.includes('/blobs/'))).toEqual([]);
});

test('indexes in indexes are followed so far and no further', async () => {
  const inner = toBlob(index({ ...own, platform: { os, architecture } }), OCI_INDEX);
  let document = inner;
  for (let depth = 0; depth < 5; depth++) {
    registry.addManifest('a/b', `depth-${depth}`, document);
    document = toBlob(index({ ...toDescriptor(document), platform: { os, architecture } }), OCI_INDEX);
  }
  registry.addManifest('a/b', 'deep', document);
  await expect(store.images.pull(testCall, { reference: `${registry.host}/a/b:deep` })).rejects.toThrow(
    expect.objectContaining({
      code: 'unimplemented',
      message: expect.stringMatching(/nested too deeply/) as string,
    }),
  );
});
