import { expect, test } from 'vitest';
import { toArtifactLayers } from './artifact.ts';
import { parseManifest } from './manifest.ts';
import { buildArtifact, type TestArtifactOptions } from './testing/test-artifact.ts';

function layersOf(options: TestArtifactOptions): ReturnType<typeof toArtifactLayers> {
  const { data, mediaType } = buildArtifact(options).manifest;
  const parsed = parseManifest(data, mediaType, 'it');
  if (parsed.kind !== 'manifest') throw new Error('it is an index');
  return toArtifactLayers(parsed.manifest, 'it');
}

const named = (...names: string[]) => layersOf({ files: names.map((name) => [name, `content of ${name}`]) });

test('each layer is a file under its name, which may have directories', () => {
  expect(named('a', 'weights/b.bin', 'weights/ü').map(({ file }) => file)).toEqual([
    'a',
    'weights/b.bin',
    'weights/ü',
  ]);
});

test('the name that the model specification gives counts as well', () => {
  const options = { files: [['model/a', 'a']] as const, nameAnnotation: 'org.cncf.model.filepath' };
  expect(layersOf(options).map(({ file }) => file)).toEqual(['model/a']);
});

test('the same file under the same name is the same layer in every artifact', () => {
  const [first] = layersOf({ files: [['a', '1']] });
  const [, second, third, fourth] = layersOf({
    files: [
      ['b', '2'],
      ['a', '1'],
      ['c', '1'],
      ['d', '4'],
    ],
  });
  expect(second?.chainId).toBe(first?.chainId);
  expect(new Set([second, third, fourth].map((layer) => layer?.chainId)).size).toBe(3);
});

test('a layer without a name is left out', () => {
  expect(named('', 'a').map(({ file }) => file)).toEqual(['a']);
});

test.each([
  '/etc/passwd',
  '../a',
  'a/../../b',
  'a/..',
  '.',
  './a',
  'a//b',
  'a/',
  'a\0b',
  '.wh.a',
  '.wh..wh..opq',
  'a/.wh.b/c',
  'a'.repeat(256),
  `${'a/'.repeat(2100)}a`,
  '\ud800',
])('a name that is none is refused: %j', (name) => {
  expect(() => named(name)).toThrow(/^cannot use it: .* is no name for a file$/);
});

test.each([
  ['a file that is there twice', ['a/b', 'a/b'], /"a\/b" is there twice/],
  [
    'a file that is a directory of another',
    ['a/b', 'a/b/c'],
    /"a\/b" is a file, and a directory of "a\/b\/c"/,
  ],
  [
    'a directory of another that is a file',
    ['a/b/c/d', 'a'],
    /"a" is a file, and a directory of "a\/b\/c\/d"/,
  ],
])('%s is refused', (_, names, message) => {
  expect(() => named(...names)).toThrow(message);
});

test('an artifact without a file is refused by its type', () => {
  expect(() => named('')).toThrow(
    expect.objectContaining({
      code: 'unimplemented',
      message: expect.stringContaining('"application/vnd.example.model"') as string,
    }),
  );
});
