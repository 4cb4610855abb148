// Takes the bytes that a client sends apart into frames. The client is hostile: whatever is longer, shorter or
// other than it should be ends the connection, and no frame is held that has not arrived.

import { Fault } from '../../base/fault.ts';
import { FLAG_FIN, FLAG_UNIDIRECTIONAL, FRAME_TYPES, HEADER_BYTES, VERSION } from './frame.ts';

export type Frame =
  /** A part of a DATA frame, or all of it; `fin` with the last part of the last one. */
  | { readonly kind: 'data'; readonly streamId: number; readonly payload: Buffer; readonly fin: boolean }
  | {
      readonly kind: 'synStream';
      readonly streamId: number;
      readonly fin: boolean;
      readonly unidirectional: boolean;
      /** Compressed. */
      readonly headers: Buffer;
    }
  | { readonly kind: 'headers'; readonly streamId: number; readonly fin: boolean; readonly headers: Buffer }
  | { readonly kind: 'reset'; readonly streamId: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goAway' }
  | { readonly kind: 'ignored' };

/** Far more than the headers of any stream of Kubernetes. */
const MAX_CONTROL_BYTES = 16 * 1024;

const NOTHING = Buffer.alloc(0);

/** A DATA frame of which `left` bytes are still to come. */
interface DataInProgress {
  readonly streamId: number;
  readonly fin: boolean;
  left: number;
}

export class FrameParser {
  /** What has come of a frame's header, or of a control frame, and is not complete. */
  #partial: Buffer = NOTHING;
  #data: DataInProgress | undefined;

  /**
   * @returns the frames that `chunk` completes, and what it has of one that carries data, in their order
   * @throws {Fault} invalid_argument — this is no SPDY; there is nothing to be read after it
   */
  *parse(chunk: Buffer): Generator<Frame, void> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#data !== undefined) {
        const payload = rest.subarray(0, this.#data.left);
        rest = rest.subarray(payload.length);
        yield this.#takeData(this.#data, payload);
        continue;
      }
      const bytes = this.#partial.length === 0 ? rest : Buffer.concat([this.#partial, rest]);
      const length = frameLength(bytes);
      if (length === undefined || bytes.length < length) {
        this.#partial = Buffer.from(bytes); // a copy: the chunk would be kept for a few bytes of it
        return;
      }
      this.#partial = NOTHING;
      rest = bytes.subarray(length);
      const frame = isControl(bytes) ? parseControl(bytes.subarray(0, length)) : this.#beginData(bytes);
      if (frame !== undefined) yield frame;
    }
  }

  #beginData(header: Buffer): Frame | undefined {
    const streamId = header.readUInt32BE(0);
    const fin = (header.readUInt8(4) & FLAG_FIN) !== 0;
    const left = header.readUIntBE(5, 3);
    if (streamId === 0) throw broken('data of stream 0');
    if (left > 0) this.#data = { streamId, fin, left };
    else if (fin) return { kind: 'data', streamId, payload: NOTHING, fin };
    return undefined;
  }

  #takeData(data: DataInProgress, payload: Buffer): Frame {
    data.left -= payload.length;
    const isLast = data.left === 0;
    if (isLast) this.#data = undefined;
    return { kind: 'data', streamId: data.streamId, payload, fin: data.fin && isLast };
  }
}

function isControl(header: Buffer): boolean {
  return (header.readUInt8(0) & 0x80) !== 0;
}

/**
 * How many bytes must be there before anything can be done: a control frame is taken whole, of a DATA frame
 * only the header.
 *
 * @returns `undefined` while not even that can be said
 */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  if (!isControl(bytes)) return HEADER_BYTES;
  const version = bytes.readUInt16BE(0) & 0x7fff;
  const length = bytes.readUIntBE(5, 3);
  if (version !== VERSION) throw broken(`version ${version}`);
  if (length > MAX_CONTROL_BYTES) throw broken(`a control frame of ${length} bytes`);
  return HEADER_BYTES + length;
}

function parseControl(frame: Buffer): Frame {
  const type = frame.readUInt16BE(2);
  const flags = frame.readUInt8(4);
  const payload = frame.subarray(HEADER_BYTES);
  switch (type) {
    case FRAME_TYPES.synStream: {
      const streamId = streamIdOf(payload, 10);
      const unidirectional = (flags & FLAG_UNIDIRECTIONAL) !== 0;
      const fin = (flags & FLAG_FIN) !== 0;
      return { kind: 'synStream', streamId, fin, unidirectional, headers: payload.subarray(10) };
    }
    case FRAME_TYPES.headers: {
      const fin = (flags & FLAG_FIN) !== 0;
      return { kind: 'headers', streamId: streamIdOf(payload, 4), fin, headers: payload.subarray(4) };
    }
    case FRAME_TYPES.reset:
      return { kind: 'reset', streamId: streamIdOf(payload, 8) };
    case FRAME_TYPES.ping:
      streamIdOf(payload, 4);
      return { kind: 'ping', id: payload.readUInt32BE(0) };
    case FRAME_TYPES.goAway:
      return { kind: 'goAway' };
    case FRAME_TYPES.synReply:
      throw broken('a reply to a stream that was never opened');
    default:
      return { kind: 'ignored' }; // "Unknown control frames MUST be ignored": 2.2.1; settings, windows: frame.ts
  }
}

function streamIdOf(payload: Buffer, minLength: number): number {
  if (payload.length < minLength) throw broken(`a control frame of only ${payload.length} bytes`);
  return payload.readUInt32BE(0) & 0x7fffffff;
}

function broken(what: string): Fault {
  return new Fault('invalid_argument', `the client does not speak SPDY/3.1: ${what}`);
}
