// The C library, as koffi loads it; the files beside this one declare its functions and nothing else, each file
// those of one subject. A wrong signature crashes the process, so each wrapper has a test. Calls are synchronous,
// and safe in worker threads. Structs are buffers laid out for 64-bit Linux.

import koffi from 'koffi';
import { ErrnoError } from '../errno.ts';

/** Bytes where a name need not be UTF-8. */
export type Path = string | Buffer;

export const libc = koffi.load('libc.so.6');

/** Tells when a descriptor becomes ready, through the event loop. */
export const poll = koffi.node.poll;

export type Pointer = Buffer | null;
export type Strings = readonly (string | null)[];

/** A C function; a `long` comes back as either kind of number. */
export type C<Arguments extends unknown[]> = (...args: Arguments) => number | bigint;

/** A path as C has it. @throws {ErrnoError} EINVAL — it contains a zero byte, which C would take for its end */
export function cString(path: Path, syscall: string): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(path) : path;
  if (bytes.includes(0)) throw new ErrnoError(22, syscall, String(path));
  return Buffer.concat([bytes, Buffer.of(0)]);
}

/** @returns `result` @throws {ErrnoError} it is negative: the call failed */
export function check(result: number | bigint, syscall: string, path?: Path): number {
  if (result < 0) throw new ErrnoError(koffi.errno(), syscall, path === undefined ? undefined : String(path));
  return Number(result);
}

/** Where the bytes are, for a pointer within a struct. They stay there while the buffer is in use. */
export function addressOf(buffer: Buffer): bigint {
  return koffi.address(buffer);
}
