// Reads a tar that comes in pieces of any size, and tells a sink what is in it. Everything happens within
// `push()`: nothing here waits.

import { parsePax } from './pax.ts';
import { toEntry, type Extensions, type TarEntry } from './tar-entry.ts';
import { badEntry, badTar } from './tar-fault.ts';
import { BLOCK_BYTES, isZeroBlock, parseHeader, type RawHeader } from './tar-header.ts';

/** What becomes of the entries. */
export interface TarSink {
  begin(entry: TarEntry): void;
  /** A piece of the data of the entry begun last. It is not kept after the call. */
  data(piece: Buffer): void;
  /** The entry is complete. */
  end(): void;
}

/** Extended headers are kept in memory. Xattrs of 64 KiB and paths of 4 KiB fit many times. */
const MAX_EXTENSION_BYTES = 1 << 20;

/** What stands between two headers. */
type Body =
  | { readonly kind: 'data' }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'extension'; readonly type: string; readonly pieces: Buffer[] };

export class TarReader {
  readonly #sink: TarSink;
  /** The part of a block that has come so far. */
  #partial: Buffer = Buffer.alloc(0);
  #body: Body = { kind: 'skipped' };
  #bodyLeft = 0;
  #paddingLeft = 0;
  #extensions: Extensions = {};
  #inBody = false;
  #ended = false;

  constructor(sink: TarSink) {
    this.#sink = sink;
  }

  /** @throws {Fault} data_loss, unimplemented — what the tar contains; and what the sink throws */
  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0 && !this.#ended;) {
      if (this.#bodyLeft > 0) rest = this.#takeBody(rest);
      else if (this.#paddingLeft > 0) rest = this.#takePadding(rest);
      else rest = this.#takeHeader(rest);
    }
  }

  /** No more will come. @throws {Fault} data_loss — there should have */
  finish(): void {
    if (this.#ended) return;
    // Tars without their two blocks of zeros exist, and everything is there.
    if (this.#inBody || this.#paddingLeft > 0 || this.#partial.length > 0) throw badTar('it is truncated');
  }

  #takeBody(rest: Buffer): Buffer {
    const piece = rest.subarray(0, this.#bodyLeft);
    this.#bodyLeft -= piece.length;
    if (this.#body.kind === 'data') this.#sink.data(piece);
    else if (this.#body.kind === 'extension') this.#body.pieces.push(Buffer.from(piece));
    if (this.#bodyLeft === 0) this.#endBody();
    return rest.subarray(piece.length);
  }

  #takePadding(rest: Buffer): Buffer {
    const count = Math.min(rest.length, this.#paddingLeft);
    this.#paddingLeft -= count;
    return rest.subarray(count);
  }

  #takeHeader(rest: Buffer): Buffer {
    const missing = BLOCK_BYTES - this.#partial.length;
    if (rest.length < missing) {
      this.#partial = Buffer.concat([this.#partial, rest]);
      return rest.subarray(rest.length);
    }
    const block =
      this.#partial.length === 0 ? rest.subarray(0, missing) : Buffer.concat([this.#partial, rest], 512);
    this.#partial = Buffer.alloc(0);
    if (isZeroBlock(block)) this.#ended = true;
    else this.#beginBody(parseHeader(block));
    return rest.subarray(missing);
  }

  #beginBody(header: RawHeader): void {
    const { type } = header;
    if (type === 'g' || type === 'V')
      this.#expect({ kind: 'skipped' }, header.sizeBytes); // a comment, a label
    else if (type === 'x' || type === 'L' || type === 'K') {
      if (header.sizeBytes > MAX_EXTENSION_BYTES)
        throw badEntry(header.name, 'its extended header is too large');
      this.#expect({ kind: 'extension', type, pieces: [] }, header.sizeBytes);
    } else {
      const entry = toEntry(header, this.#extensions);
      this.#extensions = {};
      this.#sink.begin(entry);
      this.#expect({ kind: 'data' }, entry.sizeBytes);
    }
  }

  #expect(body: Body, sizeBytes: number): void {
    this.#body = body;
    this.#bodyLeft = sizeBytes;
    this.#inBody = true;
    this.#paddingLeft = (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    if (sizeBytes === 0) this.#endBody();
  }

  #endBody(): void {
    const body = this.#body;
    this.#inBody = false;
    if (body.kind === 'data') this.#sink.end();
    if (body.kind === 'extension')
      this.#extensions = extend(this.#extensions, body.type, Buffer.concat(body.pieces));
  }
}

function extend(extensions: Extensions, type: string, data: Buffer): Extensions {
  if (type === 'x') return { ...extensions, pax: parsePax(data) };
  const zero = data.indexOf(0);
  const name = data.toString('latin1', 0, zero < 0 ? data.length : zero);
  return type === 'L' ? { ...extensions, longName: name } : { ...extensions, longLink: name };
}
