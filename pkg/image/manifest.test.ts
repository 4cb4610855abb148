import { expect, test } from 'vitest';
import { parseImageConfig } from './image-config.ts';
import { artifactTypeOf, parseManifest } from './manifest.ts';
import { DOCKER_MANIFEST, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from './media-types.ts';
import { buildImage } from './testing/test-image.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const manifest = (layerType: string) => ({
  schemaVersion: 2,
  config: { mediaType: OCI_CONFIG, digest, size: 1 },
  layers: [{ mediaType: layerType, digest, size: 1 }],
});
const parse = (json: unknown, type = OCI_MANIFEST) =>
  parseManifest(Buffer.from(JSON.stringify(json)), type, 'it');

test('parseManifest() takes the type that came with it if the document names none', () => {
  const type = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
  expect(parse(manifest(type), `${DOCKER_MANIFEST}; charset=utf-8`).kind).toBe('manifest');
});

test.each([
  [
    'Docker schema 1',
    { schemaVersion: 1, fsLayers: [] },
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
  ],
  ['foreign', manifest('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'), OCI_MANIFEST],
  ['has the type "text/plain"', manifest('text/plain'), OCI_MANIFEST],
  ['its type is "text/html"', {}, 'text/html'],
])('parseManifest() refuses by name: %s', (why, json, type) => {
  expect(() => parse(json, type)).toThrow(
    expect.objectContaining({ code: 'unimplemented', message: expect.stringContaining(why) as string }),
  );
});

test.each([
  ['no JSON', 'x', 'no JSON'],
  ['a digest that is none', manifest(OCI_LAYER), 'layers[0].digest'],
  ['index and manifest in one', { ...manifest(OCI_LAYER), manifests: [] }, 'both an index and a manifest'],
])('parseManifest() calls it data loss: %s', (_, json, why) => {
  const text =
    typeof json === 'string' ? json : JSON.stringify(json).replace(/a{64}(?!.*a{64})/, '../../etc');
  expect(() => parseManifest(Buffer.from(text), OCI_MANIFEST, 'it')).toThrow(
    expect.objectContaining({ code: 'data_loss', message: expect.stringContaining(why) as string }),
  );
});

test('parseImageConfig() reads null as not set', () => {
  const { config } = buildImage({ layers: [], config: { Env: null, Cmd: ['sh'], Volumes: { '/data': {} } } });
  expect(parseImageConfig(config.data, 0, 'it').run).toEqual({
    User: '',
    Env: [],
    Entrypoint: [],
    Cmd: ['sh'],
    WorkingDir: '',
    StopSignal: '',
    Volumes: ['/data'],
    Labels: {},
  });
});

test('parseImageConfig() refuses a config that does not go with its manifest', () => {
  const { config } = buildImage({ layers: [[{ name: 'a' }]] });
  expect(() => parseImageConfig(config.data, 2, 'it')).toThrow(
    expect.objectContaining({ code: 'data_loss' }),
  );
});

const EMPTY = 'application/vnd.oci.empty.v1+json';

test.each<[string | undefined, { artifactType?: string; config: string; layer: string; title?: string }]>([
  [undefined, { config: OCI_CONFIG, layer: OCI_LAYER }],
  [undefined, { config: '', layer: OCI_LAYER }],
  [undefined, { config: 'application/octet-stream', layer: OCI_LAYER }],
  [undefined, { artifactType: 'application/vnd.example', config: OCI_CONFIG, layer: OCI_LAYER }],
  [
    'application/vnd.example',
    { artifactType: 'application/vnd.example', config: EMPTY, layer: 'text/plain' },
  ],
  [
    'application/vnd.example',
    { artifactType: 'application/vnd.example', config: OCI_CONFIG, layer: 'text/plain' },
  ],
  ['application/vnd.example.config', { config: 'application/vnd.example.config', layer: 'text/plain' }],
  [EMPTY, { config: EMPTY, layer: OCI_LAYER, title: 'files.tar' }],
])('artifactTypeOf() finds %s in %o', (expected, { artifactType, config, layer, title }) => {
  const parsed = parse({
    schemaVersion: 2,
    artifactType,
    config: { mediaType: config, digest, size: 2 },
    layers: [
      {
        mediaType: layer,
        digest,
        size: 1,
        ...(title !== undefined && { annotations: { 'org.opencontainers.image.title': title } }),
      },
    ],
  });
  expect(parsed.kind === 'manifest' && artifactTypeOf(parsed.manifest)).toBe(expected);
});
