// Whether the other side of a connection is still there, also while nothing is read from it.

import type { Socket } from 'node:net';
import { isErrno } from './errno.ts';
import { hasHungUp } from './libc/poll.ts';
import { resetOnClose } from './libc/socket.ts';
import { isAbandonedByPeer } from './sock-diag.ts';

/**
 * Whether the peer has closed its side, even if there is more to be read before that shows in the stream. A
 * stream that is not read, because nobody takes what it brings, would never tell; and if the peer's kernel holds
 * some of that, only the peer's kernel knows.
 */
export function peerHasLeft(socket: Socket): boolean {
  if (socket.destroyed) return true;
  const fd = descriptorOf(socket);
  if (fd === undefined) return false;
  try {
    return hasHungUp(fd) || isAbandonedByPeer(fd);
  } catch (error) {
    if (isErrno(error, 'ENOTCONN')) return true;
    throw error;
  }
}

/**
 * Lets the peer tell an end from an accident: it sees a reset if the connection goes, or this process dies,
 * before both sides have ended it.
 */
export function resetUnlessEnded(socket: Socket): void {
  const fd = descriptorOf(socket);
  if (fd !== undefined) resetOnClose(fd);
}

/** Node has no public way to ask for it. @returns `undefined` if there is none; nothing depends on it for good */
function descriptorOf(socket: Socket): number | undefined {
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}
