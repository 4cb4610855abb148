import { expect, test } from 'vitest';
import { constants, zstdCompressSync } from 'node:zlib';
import { createDecompressor } from './decompress.ts';
import { ZstdFrameCutter } from './zstd-frames.ts';

const texts = ['hello ', 'x'.repeat(300_000), '', 'world'];
const frames = texts.map((text, index) =>
  zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: index % 2 } }),
);
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const stream = Buffer.concat([skippable, ...frames, skippable]);

async function decompress(data: Buffer, pieceBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  const decompressor = createDecompressor(data.subarray(0, 4), (piece) => pieces.push(Buffer.from(piece)));
  for (let at = 0; at < data.length; at += pieceBytes)
    await decompressor.write(data.subarray(at, at + pieceBytes));
  await decompressor.end();
  return Buffer.concat(pieces).toString();
}

test.each([1, 3, 64, 1_000_000])('many frames in pieces of %i bytes all come out', async (pieceBytes) => {
  const text = await decompress(stream, pieceBytes);
  expect(text === texts.join('')).toBe(true); // too long to print
});

test('the cutter cuts where frames end', () => {
  const lengths = new ZstdFrameCutter().cut(stream).map(({ length }) => length);
  expect(lengths).toEqual([11, ...frames.map(({ length }) => length), 11]);
});

test.each([30, 50, 55, stream.length - 15])('a stream of %i bytes of it is refused', async (length) => {
  await expect(decompress(stream.subarray(0, length), 1000).then(() => 'came out')).rejects.toThrow();
});

test('what follows the last frame must be a frame', async () => {
  const noise = Buffer.concat([frames[0]!, Buffer.from('noise and more')]);
  await expect(decompress(noise, 1000)).rejects.toThrow('damaged');
});
