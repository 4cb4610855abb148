// The frames of SPDY/3.1 as bytes. Only what Kubernetes' clients use is here; there are no windows, because
// their side neither grows ours nor heeds its own: TCP alone holds back who writes too fast.
// Source: SPDY/3.1, 2.2 and 2.6.

export const VERSION = 3;
export const HEADER_BYTES = 8;

export const FRAME_TYPES = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const FLAG_FIN = 1;
export const FLAG_UNIDIRECTIONAL = 2;

/** Why a stream is reset. */
export const RESET_STATUS = { protocolError: 1, refused: 3, cancel: 5 } as const;

/** The most that the length of a frame can say. */
export const MAX_DATA_BYTES = 0xffffff;

/** The eight bytes before the payload of a DATA frame. */
export function dataHeader(streamId: number, length: number, flags: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(streamId, 0);
  header.writeUInt32BE(flags * 0x1000000 + length, 4);
  return header;
}

function controlFrame(type: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + payload.length);
  frame.writeUInt16BE(0x8000 | VERSION, 0);
  frame.writeUInt16BE(type, 2);
  frame.writeUInt32BE(payload.length, 4);
  payload.copy(frame, HEADER_BYTES);
  return frame;
}

function words(...values: readonly number[]): Buffer {
  const payload = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => payload.writeUInt32BE(value, index * 4));
  return payload;
}

/** zlib's header, and the Adler-32 checksum of the dictionary: the beginning of every header stream. */
const ZLIB_HEADER = Buffer.from('78bbe3c6a7c2', 'hex');
/** No headers at all: four zero bytes in a stored block, and the empty block that a flush ends with. */
const NO_HEADERS = Buffer.from('000400fbff00000000000000ffff', 'hex');

/**
 * Accepts a stream. It must be on the wire before any data of that stream, so that nothing here is compressed,
 * for which one would have to wait.
 *
 * @param options.first whether it is the connection's first
 */
export function synReply(streamId: number, options: { readonly first: boolean }): Buffer {
  const headers = options.first ? [ZLIB_HEADER, NO_HEADERS] : [NO_HEADERS];
  return controlFrame(FRAME_TYPES.synReply, Buffer.concat([words(streamId), ...headers]));
}

export function reset(streamId: number, status: number): Buffer {
  return controlFrame(FRAME_TYPES.reset, words(streamId, status));
}

export function ping(id: number): Buffer {
  return controlFrame(FRAME_TYPES.ping, words(id));
}

/** @param lastStreamId the last stream that was accepted */
export function goAway(lastStreamId: number): Buffer {
  return controlFrame(FRAME_TYPES.goAway, words(lastStreamId, 0));
}

/** What a client opens a stream with. @param headers compressed */
export function synStream(streamId: number, flags: number, headers: Buffer): Buffer {
  const frame = controlFrame(
    FRAME_TYPES.synStream,
    Buffer.concat([words(streamId, 0), Buffer.alloc(2), headers]),
  );
  frame.writeUInt8(flags, 4);
  return frame;
}
