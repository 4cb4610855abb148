// One header block of a tar: 512 bytes. Names are strings with one character per byte (latin1), since they
// need not be UTF-8.
// Source: POSIX pax, "ustar Interchange Format"; the GNU tar manual, "Basic Tar Format".

import { badEntry, badTar } from './tar-fault.ts';

export const BLOCK_BYTES = 512;

/** The fields as they stand in the block. */
export interface RawHeader {
  readonly name: string;
  readonly linkName: string;
  /** One character, as in the block; the zero byte of old tars is `0`. */
  readonly type: string;
  /** Permissions alone. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

/** @throws {Fault} data_loss — it is no header */
export function parseHeader(block: Buffer): RawHeader {
  checkSum(block);
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0'; // GNU has a blank there, and no prefix
  const name = text(block, 0, 100);
  const prefix = isPosix ? text(block, 345, 155) : '';
  const fullName = prefix === '' ? name : `${prefix}/${name}`;
  const typeByte = block.toString('latin1', 156, 157);
  const number = (offset: number, length: number) => parseNumber(block, offset, length, fullName);
  const sizeBytes = number(124, 12);
  if (sizeBytes < 0) throw badEntry(fullName, 'its size is negative');
  return {
    name: fullName,
    linkName: text(block, 157, 100),
    type: typeByte === '\0' ? '0' : typeByte,
    mode: number(100, 8) & 0o7777,
    uid: number(108, 8),
    gid: number(116, 8),
    sizeBytes,
    mtimeSeconds: number(136, 12),
    deviceMajor: number(329, 8),
    deviceMinor: number(337, 8),
  };
}

export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.every((byte) => byte === 0);
}

/** The sum of all bytes, with blanks for the sum itself; some old tars took bytes for signed. */
function checkSum(block: Buffer): void {
  const declared = parseNumber(block, 148, 8, 'checksum');
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let i = 0; i < BLOCK_BYTES; i++) {
    if (i >= 148 && i < 156) continue;
    const byte = block[i] ?? 0;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  if (declared !== unsigned && declared !== signed) throw badTar('a header has a wrong checksum');
}

/** Up to the first zero byte. */
function text(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  const limit = offset + length;
  return block.toString('latin1', offset, end < 0 || end > limit ? limit : end);
}

/** Octal digits between blanks, or base-256: a first byte of 0x80 (or 0xff, negative) and then the number. */
function parseNumber(block: Buffer, offset: number, length: number, name: string): number {
  const first = block[offset] ?? 0;
  if (first >= 0x80) return parseBase256(block.subarray(offset, offset + length), name);
  const digits = text(block, offset, length).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw badEntry(name, `"${digits}" is no octal number`);
  return Number.parseInt(digits, 8);
}

function parseBase256(bytes: Buffer, name: string): number {
  const negative = bytes[0] === 0xff;
  let value = BigInt.asIntN(8, negative ? -1n : BigInt((bytes[0] ?? 0) & 0x7f));
  for (const byte of bytes.subarray(1)) value = (value << 8n) | BigInt(byte);
  const result = Number(value);
  if (!Number.isSafeInteger(result)) throw badEntry(name, 'a number in its header is too large');
  return result;
}
