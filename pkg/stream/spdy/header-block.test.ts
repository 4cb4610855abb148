import fc from 'fast-check';
import { constants, createDeflate, type Deflate } from 'node:zlib';
import { expect, test } from 'vitest';
import { Fault } from '../../base/fault.ts';
import { encodeHeaders, uint32 } from '../testing/spdy-client.ts';
import { DICTIONARY } from './dictionary.ts';
import { HeaderReader, parseHeaders } from './header-block.ts';

/** Compresses as Go's zlib does: one stream, flushed after each block. */
async function compress(deflate: Deflate, block: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const onData = (chunk: Buffer) => chunks.push(chunk);
  deflate.on('data', onData);
  deflate.write(block);
  await new Promise<void>((resolve) => {
    deflate.flush(constants.Z_SYNC_FLUSH, () => {
      setImmediate(resolve);
    });
  });
  deflate.off('data', onData);
  return Buffer.concat(chunks);
}

test('read() reads block after block of one compressed stream', async () => {
  const deflate = createDeflate({ dictionary: DICTIONARY });
  using reader = new HeaderReader();
  const blocks = Array.from({ length: 20 }, (_, i) => ({
    streamtype: 'data',
    port: '80',
    requestid: String(i),
  }));
  for (const block of blocks) {
    const headers = await reader.read(await compress(deflate, encodeHeaders(block)));
    expect(Object.fromEntries(headers)).toEqual(block);
  }
});

test('read() takes no more than a bound of what a small block becomes', async () => {
  const deflate = createDeflate({ dictionary: DICTIONARY });
  using reader = new HeaderReader();
  const bomb = await compress(deflate, Buffer.alloc(10 * 1024 * 1024));
  expect(bomb.length).toBeLessThan(16 * 1024);
  await expect(reader.read(bomb)).rejects.toMatchObject({
    code: 'invalid_argument',
    message: 'headers are too long',
  });
  await expect(reader.read(bomb)).rejects.toThrow('headers are too long');
});

test('read() refuses what is not compressed, or with another dictionary', async () => {
  using reader = new HeaderReader();
  await expect(reader.read(Buffer.from('no zlib'))).rejects.toMatchObject({ code: 'invalid_argument' });
  using other = new HeaderReader();
  const deflate = createDeflate({ dictionary: Buffer.from('another') });
  await expect(other.read(await compress(deflate, Buffer.alloc(4)))).rejects.toThrow('decompressed');
});

test('parseHeaders() refuses counts and lengths that cannot be', () => {
  expect(() => parseHeaders(uint32(1000))).toThrow('1000 headers');
  expect(() => parseHeaders(uint32(1, 0xffffffff))).toThrow('too short');
  expect(() => parseHeaders(Buffer.alloc(3))).toThrow('too short');
});

test('parseHeaders() either reads arbitrary bytes or refuses them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        parseHeaders(Buffer.from(bytes));
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
      }
    }),
  );
});

test('DICTIONARY is that of the specification', () => {
  expect(DICTIONARY).toHaveLength(1423); // and its Adler-32 is in every header stream: see frame.ts
});
