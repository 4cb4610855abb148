// Pipes whose ends are closed in every program that we start, unless it is given them.

import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { pipe2 } from './libc/pipe.ts';

/** A new pipe. Who calls this closes both ends, each with `closeFd()` or by way of its stream. */
export function openPipe(): { readFd: number; writeFd: number } {
  return pipe2();
}

/** A stream of what comes out of a pipe. The stream owns the descriptor from now on. */
export function readableFd(fd: number): Readable {
  return new Socket({ fd, readable: true, writable: false });
}

/** A stream into a pipe. The stream owns the descriptor from now on. */
export function writableFd(fd: number): Writable {
  return new Socket({ fd, readable: false, writable: true });
}

/** Closes a descriptor that no stream owns. It does not wait: it is for pipes, sockets and the like. */
export function closeFd(fd: number): void {
  closeSync(fd);
}
