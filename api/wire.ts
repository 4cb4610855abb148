// What the generated encoders and decoders are made of, over the reader and writer of protobufjs.
// Every 64-bit number is a bigint, exact over its whole range; a map has no prototype, so no key is special.

import protobuf from 'protobufjs/minimal.js';

export type Reader = protobuf.Reader;
export type Writer = protobuf.Writer;

/** A message under construction. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export type StringMap = Readonly<Record<string, string>>;

/** The values of fields that were not sent. They are shared, hence frozen. */
export const NO_ITEMS: readonly never[] = Object.freeze([]);
export const NO_ENTRIES: StringMap = Object.freeze(emptyMap());
export const NO_BYTES: Buffer = Buffer.alloc(0);

/** Eight bytes in which two halves become one bigint, and back. */
const bits = new DataView(new ArrayBuffer(8));

/** Reads from `bytes` without copying: fields of type bytes are views of it. */
export function reader(bytes: Uint8Array): Reader {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return protobuf.Reader.create(buffer);
}

export function writer(): Writer {
  return protobuf.Writer.create();
}

/** The written bytes, in a buffer of their own. */
export function finish(w: Writer): Buffer {
  return w.finish() as Buffer; // in Node the writer allocates with Buffer.allocUnsafe
}

/**
 * Reads a length and says where what it counts ends.
 *
 * @throws {RangeError} it would end after the message that it is part of
 */
export function endOf(r: Reader): number {
  const size = r.size();
  const end = r.pos + size;
  if (end > r.len) throw new RangeError(`a field of ${size} bytes ends after its message`);
  return end;
}

/** @throws {RangeError} the fields of a message did not end where the message does */
export function expectEnd(r: Reader, end: number): void {
  if (r.pos !== end) throw new RangeError('a field ends after its message');
}

/** Passes over a field that this version does not know, or that has an unexpected wire type. */
export function skip(r: Reader, tag: number): void {
  r.skipType(tag & 7, 0, tag >>> 3);
}

export function readBytes(r: Reader): Buffer {
  return r.bytes() as Buffer; // a view of the Buffer that reader() was given
}

export function readInt64(r: Reader): bigint {
  readBits(r);
  return bits.getBigInt64(0, true);
}

export function readUint64(r: Reader): bigint {
  readBits(r);
  return bits.getBigUint64(0, true);
}

/** Reads a varint of up to ten bytes into `bits`. Bits above the 64th are dropped, as everywhere. */
function readBits(r: Reader): void {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = r.buf[r.pos];
    if (byte === undefined) throw new RangeError('a number ends after its message');
    r.pos++;
    const value = byte & 127;
    if (shift < 32) low |= value << shift;
    if (shift === 28) high = value >>> 4;
    else if (shift > 28) high |= value << (shift - 32);
    if (byte < 128) {
      bits.setUint32(0, low, true);
      bits.setUint32(4, high, true);
      return;
    }
  }
  throw new RangeError('a number has more than ten bytes');
}

/** Reads one entry of a map<string, string>; the last one with a key wins. */
export function readEntry(r: Reader, into: StringMap): StringMap {
  const end = endOf(r);
  let key = '';
  let value = '';
  while (r.pos < end) {
    const tag = r.tag();
    if (tag === 10) key = r.string();
    else if (tag === 18) value = r.string();
    else skip(r, tag);
  }
  expectEnd(r, end);
  const map = into === NO_ENTRIES ? emptyMap() : (into as Record<string, string>); // made here before
  map[key] = value;
  return map;
}

/** Adds an element to a repeated field. */
export function append<T>(list: readonly T[], item: T): readonly T[] {
  if (list === NO_ITEMS) return [item];
  (list as T[]).push(item); // made here before
  return list;
}

/** Reads the elements of a packed repeated field. */
export function readPacked<T>(r: Reader, list: readonly T[], read: (r: Reader) => T): readonly T[] {
  const end = endOf(r);
  let all = list;
  while (r.pos < end) all = append(all, read(r));
  expectEnd(r, end);
  return all;
}

/** Text that is not well-formed UTF-16 is mended: other languages refuse a whole message for it. */
export function putString(w: Writer, value: string): void {
  w.string(value.isWellFormed() ? value : value.toWellFormed());
}

/** @throws {RangeError} it does not fit into a signed 64-bit number */
export function putInt64(w: Writer, value: bigint): void {
  bits.setBigInt64(0, value, true);
  if (bits.getBigInt64(0, true) !== value) throw new RangeError(`${String(value)} is not an int64`);
  putBits(w);
}

/** @throws {RangeError} it does not fit into an unsigned 64-bit number */
export function putUint64(w: Writer, value: bigint): void {
  bits.setBigUint64(0, value, true);
  if (bits.getBigUint64(0, true) !== value) throw new RangeError(`${String(value)} is not a uint64`);
  putBits(w);
}

function putBits(w: Writer): void {
  w.uint64({ low: bits.getUint32(0, true), high: bits.getUint32(4, true), unsigned: true });
}

export function writeString(w: Writer, tag: number, value: string | undefined): void {
  if (value !== undefined && value !== '') putString(w.uint32(tag), value);
}

export function writeBytes(w: Writer, tag: number, value: Uint8Array | undefined): void {
  if (value !== undefined && value.length > 0) w.uint32(tag).bytes(value);
}

export function writeBool(w: Writer, tag: number, value: boolean | undefined): void {
  if (value === true) w.uint32(tag).bool(true);
}

export function writeInt32(w: Writer, tag: number, value: number | undefined): void {
  if (value !== undefined && value !== 0) w.uint32(tag).int32(value);
}

export function writeUint32(w: Writer, tag: number, value: number | undefined): void {
  if (value !== undefined && value !== 0) w.uint32(tag).uint32(value);
}

export function writeDouble(w: Writer, tag: number, value: number | undefined): void {
  if (value !== undefined && !Object.is(value, 0)) w.uint32(tag).double(value);
}

export function writeInt64(w: Writer, tag: number, value: bigint | undefined): void {
  if (value !== undefined && value !== 0n) putInt64(w.uint32(tag), value);
}

export function writeUint64(w: Writer, tag: number, value: bigint | undefined): void {
  if (value !== undefined && value !== 0n) putUint64(w.uint32(tag), value);
}

export function writeMap(w: Writer, tag: number, map: StringMap | undefined): void {
  if (map === undefined) return;
  for (const key of Object.keys(map)) {
    w.uint32(tag).fork();
    putString(w.uint32(10), key);
    putString(w.uint32(18), map[key] ?? '');
    w.ldelim();
  }
}

/** The name of an enum's value; the number itself when this version does not know it. */
export function nameOf(names: Readonly<Record<string, number>>, value: number): string {
  for (const name of Object.keys(names)) if (names[name] === value) return name;
  return String(value);
}

function emptyMap(): Record<string, string> {
  return Object.create(null) as Record<string, string>; // Object.create says any
}
