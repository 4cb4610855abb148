// Every record that any version of davit has written is read, for ever: a fixture is never changed, only added.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { containerCodec } from '../../pkg/container/record.ts';
import { imageCodec } from '../../pkg/image/image.ts';
import { layerCodec } from '../../pkg/image/layer.ts';
import { preloadedCodec } from '../../pkg/image/preloaded-file.ts';
import { sandboxCodec } from '../../pkg/sandbox/record.ts';

const FIXTURES = join(import.meta.dirname, '../../test/fixtures/records');
const CODECS = {
  container: containerCodec,
  sandbox: sandboxCodec,
  image: imageCodec,
  layer: layerCodec,
  preloaded: preloadedCodec,
} as const;

const files = readdirSync(FIXTURES).map((name) => [name, name.split('-')[0] as keyof typeof CODECS] as const);
const read = (name: string): unknown => JSON.parse(readFileSync(join(FIXTURES, name), 'utf8'));

test.each(files)('%s is read, and what is read can be written and read again', (name, kind) => {
  const codec = CODECS[kind];
  const record = codec.decode(read(name), name);
  const again: unknown = JSON.parse(JSON.stringify(codec.encode(record as never)));
  expect(codec.decode(again, name)).toEqual(record);
});

test('there is one of every kind', () => {
  expect(new Set(files.map(([, kind]) => kind))).toEqual(new Set(Object.keys(CODECS)));
});

test('a stop that an older version has begun, by the time of day, is not prolonged', () => {
  const { state } = containerCodec.decode(read('container-v1-stopping.json'), 'c');
  expect(state).toMatchObject({ phase: 'stopping', killAtUptimeMs: 0, signalled: true });
});
