import { PassThrough, Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { piecesOf } from './body-pieces.ts';

async function lengthsOf(body: Readable): Promise<number[]> {
  const lengths: number[] = [];
  for await (const piece of piecesOf(body)) lengths.push(piece.length);
  return lengths;
}

test('a body comes in the pieces that it was given in, also when they had to wait', async () => {
  const body = new PassThrough({ highWaterMark: 1 << 20 });
  for (const bytes of [10, 2000, 3, 70_000, 5]) body.write(Buffer.alloc(bytes));
  body.end();
  expect(await lengthsOf(body)).toEqual([10, 2000, 3, 70_000, 5]);
});

test('an empty body has no pieces', async () => {
  expect(await lengthsOf(Readable.from([]))).toEqual([]);
});

test('what has come before a failure is given, and then the failure', async () => {
  const body = new PassThrough();
  body.write(Buffer.alloc(10));
  const lengths: number[] = [];
  const reading = async () => {
    for await (const piece of piecesOf(body)) {
      lengths.push(piece.length);
      body.destroy(new Error('broke'));
    }
  };
  await expect(reading()).rejects.toThrow('broke');
  expect(lengths).toEqual([10]);
});

test('a body that is closed before its end is a failure', async () => {
  const body = new PassThrough();
  const reading = lengthsOf(body);
  body.destroy();
  await expect(reading).rejects.toThrow('closed');
});

test('who stops reading closes the body', async () => {
  const body = new PassThrough();
  body.write(Buffer.alloc(10));
  for await (const _ of piecesOf(body)) break;
  expect(body.destroyed).toBe(true);
});
