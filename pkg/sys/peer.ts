// Whether the other side of a connection is still there, also while nothing is read from it.

import type { Socket } from 'node:net';
import { ErrnoError, isErrno } from './errno.ts';
import { hasHungUp } from './libc/poll.ts';
import { setOnClose } from './libc/socket.ts';
import { isAbandonedByPeer } from './sock-diag.ts';

/**
 * Whether the peer has closed its side, even if there is more to be read before that shows in the stream. A
 * stream that is not read, because nobody takes what it brings, would never tell; and if the peer's kernel holds
 * some of that, only the peer's kernel knows.
 *
 * @returns `false` also while that cannot be found out, as when all descriptors are in use
 */
export function peerHasLeft(socket: Socket): boolean {
  if (socket.destroyed) return true;
  const fd = descriptorOf(socket);
  if (fd === undefined) return false;
  try {
    return hasHungUp(fd) || isAbandonedByPeer(fd);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    return isErrno(error, 'ENOTCONN');
  }
}

/**
 * Lets the peer tell an end from an accident: it sees a reset if the connection goes, or this process dies,
 * before our side has ended. After that all that was written arrives, however slowly the peer reads.
 */
export function resetUnlessEnded(socket: Socket): void {
  setOnCloseOf(socket, 'reset');
  socket.once('finish', () => {
    setOnCloseOf(socket, 'deliver');
  });
}

function setOnCloseOf(socket: Socket, what: 'reset' | 'deliver'): void {
  const fd = descriptorOf(socket);
  if (fd !== undefined) setOnClose(fd, what);
}

/** Node has no public way to ask for it. @returns `undefined` if there is none; nothing depends on it for good */
function descriptorOf(socket: Socket): number | undefined {
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}
