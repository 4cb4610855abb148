// Streams over descriptors that Node's public API refuses: SEQPACKET sockets and the masters of terminals. The
// only place that uses `process.binding`, which libuv's own pipes are reached by.

import { closeSync } from 'node:fs';
import { Socket, type OnReadOpts } from 'node:net';
import { Fault } from '../base/fault.ts';

/** What is used of Node's internal pipe. */
interface PipeHandle {
  open(fd: number): number;
}

interface PipeBinding {
  readonly Pipe: new (type: number) => PipeHandle;
}

/** A pipe, not one that passes handles. */
const PIPE_SOCKET = 0;

/**
 * A stream that reads from and writes to `fd`, which it owns from now on and makes non-blocking. Its two
 * directions end apart from each other.
 *
 * Of a SEQPACKET socket one 'data' event is one packet, and a packet is written whole if the writes before it
 * have called back.
 *
 * @param onread takes the bytes instead of the stream
 */
export function duplexFd(fd: number, onread?: OnReadOpts): Socket {
  // Documented as deprecated, and unchanged for ten years; there is no other way.
  const { Pipe } = (process as unknown as { binding(name: 'pipe_wrap'): PipeBinding }).binding('pipe_wrap');
  const handle = new Pipe(PIPE_SOCKET);
  const errno = handle.open(fd);
  if (errno < 0) {
    closeSync(fd);
    throw new Fault('internal', `cannot open a stream of descriptor ${fd}`, { detail: { errno } });
  }
  // `handle` is of the class that the constructor wants, for which there is no type.
  return new Socket({ handle, allowHalfOpen: true, ...(onread === undefined ? {} : { onread }) } as object);
}
