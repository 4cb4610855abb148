// Cuts a zstd stream where its frames end. Node's decompressor takes many frames only if each write ends with
// one; what follows a frame within a write is dropped without a word.
// Source: RFC 8878, sections 3.1.1 and 3.1.2.

import { Fault } from '../../base/fault.ts';

const MAGIC = 0xfd2fb528;
/** The lowest nibble may be anything. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_HEADER_BYTES = 18;
const RLE_BLOCK = 1;

export class ZstdFrameCutter {
  /** The start of a frame header or block header that has not come whole. */
  #head: Buffer = Buffer.alloc(0);
  /** Of the block or skippable frame that we are in. */
  #skip = 0;
  #state: 'frame' | 'block' | 'end' = 'frame';
  #hasChecksum = false;

  /** The pieces of `chunk`, each ending where a frame ends or where `chunk` does. @throws {Fault} data_loss */
  cut(chunk: Buffer): Buffer[] {
    const pieces: Buffer[] = [];
    let start = 0;
    let at = 0;
    for (;;) {
      const step = Math.min(this.#skip, chunk.length - at);
      this.#skip -= step;
      at += step;
      if (this.#skip > 0) break;
      if (this.#state === 'end') {
        pieces.push(chunk.subarray(start, at));
        start = at;
        this.#state = 'frame';
      }
      const taken = this.#readHeader(chunk, at);
      if (taken === undefined) break;
      at += taken;
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
    return pieces;
  }

  /** No more will come. @throws {Fault} data_loss — a frame is not complete */
  finish(): void {
    if (this.#state !== 'frame' || this.#head.length > 0)
      throw new Fault('data_loss', 'the zstd stream is truncated');
  }

  /** @returns how many bytes of `chunk` the header takes; `undefined` if it goes on in the next chunk */
  #readHeader(chunk: Buffer, at: number): number | undefined {
    const known = this.#head.length;
    const head = Buffer.concat([this.#head, chunk.subarray(at, at + MAX_HEADER_BYTES)]);
    const length = this.#state === 'frame' ? frameHeaderLength(head) : 3;
    if (length === undefined || head.length < length) {
      this.#head = head;
      return undefined;
    }
    this.#head = Buffer.alloc(0);
    if (this.#state === 'frame') this.#enterFrame(head);
    else this.#enterBlock(head);
    return length - known;
  }

  #enterFrame(head: Buffer): void {
    if (isSkippable(head)) {
      this.#skip = head.readUInt32LE(4);
      this.#state = 'end';
      return;
    }
    this.#hasChecksum = ((head[4] ?? 0) & 4) !== 0;
    this.#state = 'block';
  }

  #enterBlock(head: Buffer): void {
    const header = head.readUIntLE(0, 3);
    const [isLast, type, size] = [(header & 1) === 1, (header >> 1) & 3, header >> 3];
    this.#skip = type === RLE_BLOCK ? 1 : size;
    if (!isLast) return;
    this.#skip += this.#hasChecksum ? 4 : 0;
    this.#state = 'end';
  }
}

function isSkippable(head: Buffer): boolean {
  return (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC;
}

/** `undefined` if too little of it is there. */
function frameHeaderLength(head: Buffer): number | undefined {
  if (head.length < 5) return undefined;
  if (isSkippable(head)) return 8;
  if (head.readUInt32LE(0) !== MAGIC) throw new Fault('data_loss', 'the zstd stream is damaged');
  const descriptor = head[4] ?? 0;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeFlag = descriptor >> 6;
  const contentSizeBytes = contentSizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 2 ** contentSizeFlag;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  return 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes;
}

export function isZstd(head: Buffer): boolean {
  return head.length >= 4 && (head.readUInt32LE(0) === MAGIC || isSkippable(head));
}
