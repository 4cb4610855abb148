import { expect, test } from 'vitest';
import { hold, release, share } from './release.ts';

const SIZE = 64 * 1024;

function aChunk(): Buffer {
  return Buffer.from(new ArrayBuffer(SIZE));
}

test('release() gives back the memory of a whole chunk, and leaves alone that of a part', () => {
  const [whole, other] = [aChunk(), aChunk()];
  release(whole);
  release(other.subarray(1));
  expect([whole.length, other.length]).toEqual([0, SIZE]);
});

test('release() gives back the memory of a shared chunk with the last of its parts', () => {
  const chunk = aChunk();
  share(chunk);
  const parts = [chunk.subarray(8, 1000), chunk.subarray(1008)];
  for (const part of parts) hold(part);
  release(chunk);
  release(chunk.subarray(8, 1000));
  expect(parts.map(({ length }) => length)).toEqual([992, SIZE - 1008]);
  release(chunk.subarray(1008));
  expect(parts.map(({ length }) => length)).toEqual([0, 0]);
});

test('release() leaves alone a shared chunk one of whose parts is forgotten', () => {
  const chunk = aChunk();
  share(chunk);
  hold(chunk.subarray(8));
  release(chunk);
  expect(chunk.length).toBe(SIZE);
});

test('release() leaves small buffers alone, whose memory others may use', () => {
  const small = Buffer.from(new ArrayBuffer(100));
  release(small);
  expect(small.length).toBe(100);
});
