// Turns the bytes of a layer into those of its tar. How they are compressed shows in their first bytes: what a
// manifest says of it is not always true.

import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import type { Transform } from 'node:stream';
import { freeMemory } from '../release.ts';
import { isZstd, ZstdFrameCutter } from './zstd-frames.ts';

/** Twice as fast as Node's default. */
export const CHUNK_BYTES = 256 * 1024;
/** So much may wait to be unpacked while the next is decompressed on another thread. */
const AHEAD_BYTES = 512 * 1024;
/** The most memory that a zstd frame may ask for: 128 MiB, what `zstd` itself takes by default. */
const ZSTD_WINDOW_LOG_MAX = 27;

/** Where the input of a decompressor is cut. */
interface Cutter {
  cut(chunk: Buffer): readonly Buffer[];
  finish(): void;
}

const WHOLE: Cutter = { cut: (chunk) => [chunk], finish: () => undefined };

export interface Decompressor {
  /** Takes in a piece; resolves when more may come. */
  write(chunk: Buffer): Promise<void>;
  /** No more will come; resolves when all has gone to the sink. */
  end(): Promise<void>;
}

/**
 * @param head the first bytes, at least four if there are so many
 * @param onData is given the tar in pieces, and may throw
 */
export function createDecompressor(head: Buffer, onData: (piece: Buffer) => void): Decompressor {
  const options = { chunkSize: CHUNK_BYTES, readableHighWaterMark: AHEAD_BYTES };
  if (isGzip(head)) return new StreamDecompressor(createGunzip(options), WHOLE, onData);
  if (isZstd(head)) {
    const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
    return new StreamDecompressor(
      createZstdDecompress({ ...options, params }),
      new ZstdFrameCutter(),
      onData,
    );
  }
  return {
    write: (chunk) => {
      onData(chunk);
      return Promise.resolve();
    },
    end: () => Promise.resolve(),
  };
}

export function isGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

class StreamDecompressor implements Decompressor {
  readonly #stream: Transform;
  readonly #cutter: Cutter;
  /** Settles when the last piece has gone to the sink, or with the first error. */
  readonly #drained: Promise<void>;
  #error: Error | undefined;
  #giveUp: (error: Error) => void = () => undefined;

  constructor(stream: Transform, cutter: Cutter, onData: (piece: Buffer) => void) {
    this.#stream = stream;
    this.#cutter = cutter;
    this.#drained = this.#drain(onData);
    this.#drained.catch((error: unknown) => {
      this.#error = error instanceof Error ? error : new Error(String(error));
      this.#giveUp(this.#error);
    });
  }

  async write(chunk: Buffer): Promise<void> {
    for (const piece of this.#cutter.cut(chunk)) await this.#writeOne(piece);
  }

  async end(): Promise<void> {
    this.#cutter.finish();
    this.#stream.end();
    await this.#drained;
  }

  async #drain(onData: (piece: Buffer) => void): Promise<void> {
    for await (const piece of this.#stream as AsyncIterable<Buffer>) {
      onData(piece);
      releaseBlock(piece);
    }
  }

  async #writeOne(piece: Buffer): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    await new Promise<void>((resolve, reject) => {
      this.#giveUp = reject; // a stream that breaks forgets the write that broke it
      this.#stream.write(piece, () => {
        resolve();
      });
    });
  }
}

/** A block that is not full is still being written to: its memory goes with its last piece. */
function releaseBlock({ buffer, byteOffset, length }: Buffer): void {
  if (byteOffset + length === CHUNK_BYTES && buffer.byteLength === CHUNK_BYTES) freeMemory(buffer);
}
