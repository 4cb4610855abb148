// The headers of streams. One compressed stream carries those of the whole connection, so that each block must
// be read, in its order, even if nobody wants it.

import { createInflate, type Inflate } from 'node:zlib';
import { Fault } from '../../base/fault.ts';
import { DICTIONARY } from './dictionary.ts';

export type Headers = ReadonlyMap<string, string>;

/** A few kilobytes of zlib can become gigabytes: of one block no more is taken than this. */
const MAX_BLOCK_BYTES = 64 * 1024;
const MAX_HEADERS = 100;

export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: DICTIONARY, chunkSize: 16 * 1024 });
  #chunks: Buffer[] = [];
  #bytes = 0;
  #failed: Fault | undefined;
  #reject: ((fault: Fault) => void) | undefined;

  constructor() {
    this.#inflate.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes > MAX_BLOCK_BYTES) this.#fail(new Fault('invalid_argument', 'headers are too long'));
      else this.#chunks.push(chunk);
    });
    this.#inflate.on('error', (cause) => {
      this.#fail(new Fault('invalid_argument', 'headers cannot be decompressed', { cause }));
    });
    this.#inflate.on('end', () => {
      this.#fail(new Fault('invalid_argument', 'the compressed headers end'));
    });
  }

  /**
   * The next block. One at a time: wait for the one before.
   *
   * @throws {Fault} invalid_argument — it is no header block, or too long; after that nothing can be read
   */
  async read(block: Buffer): Promise<Headers> {
    this.#chunks = [];
    this.#bytes = 0;
    await new Promise<void>((resolve, reject) => {
      if (this.#failed !== undefined) {
        reject(this.#failed);
        return;
      }
      this.#reject = reject;
      this.#inflate.write(block, () => {
        while (this.#inflate.read() !== null); // what is left goes the way of the rest: to 'data'
        resolve();
      });
    });
    this.#reject = undefined;
    return parseHeaders(Buffer.concat(this.#chunks));
  }

  #fail(fault: Fault): void {
    this.#failed ??= fault;
    this.#chunks = [];
    this.#inflate.destroy();
    this.#reject?.(this.#failed);
  }

  [Symbol.dispose](): void {
    this.#fail(new Fault('cancelled', 'the connection has ended'));
  }
}

/**
 * Parses a header block: a count, then that many names and values, each after its length. Numbers have four
 * bytes. Source: SPDY/3.1, 2.6.10.
 *
 * @returns by name in lower case; of a name that comes twice the last
 * @throws {Fault} invalid_argument — it has another shape
 */
export function parseHeaders(block: Buffer): Headers {
  let at = 0;
  const take = (length: number): Buffer => {
    if (block.length - at < length) throw new Fault('invalid_argument', 'a header block is too short');
    at += length;
    return block.subarray(at - length, at);
  };
  const takeText = (): string => take(take(4).readUInt32BE(0)).toString('latin1');
  const count = take(4).readUInt32BE(0);
  if (count > MAX_HEADERS) throw new Fault('invalid_argument', `a header block has ${count} headers`);
  const headers = new Map<string, string>();
  for (let i = 0; i < count; i++) headers.set(takeText().toLowerCase(), takeText());
  return headers;
}
