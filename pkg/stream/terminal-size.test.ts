import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { Size } from './backend.ts';
import { readSizes } from './terminal-size.ts';

function sizesOf(...chunks: readonly string[]): Size[] {
  const sizes: Size[] = [];
  const source = new PassThrough();
  readSizes(source, (size) => sizes.push(size));
  for (const chunk of chunks) source.emit('data', Buffer.from(chunk));
  return sizes;
}

test('readSizes() reads sizes, however they are cut', () => {
  expect(sizesOf('{"Width":101,"Height":33}\n{"Wid', 'th":1,"Height":2}')).toEqual([
    { rows: 33, columns: 101 },
    { rows: 2, columns: 1 },
  ]);
});

test('readSizes() passes over what is no size', () => {
  const text = '{"Width":-1,"Height":1}{"Width":65536,"Height":1}[]}{"Width":"1"}}{"Width":7,"Height":8}';
  expect(sizesOf(text)).toEqual([{ rows: 8, columns: 7 }]);
});

test('readSizes() keeps little of what has no end', () => {
  expect(sizesOf('x'.repeat(100_000), '{"Width":1,"Height":1}')).toEqual([]);
});
