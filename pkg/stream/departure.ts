// Noticing that a client has left, and ending connections on which nothing happens.

import type { Socket } from 'node:net';
import { peerHasLeft, resetUnlessEnded } from '../sys/peer.ts';

const LOOK_INTERVAL_MS = 500;
const KEEP_ALIVE_MS = 30_000;

/**
 * Destroys the socket when nothing has come or gone for `idleTimeoutMs`, or when its peer has left without that
 * showing: nothing is read from it while whatever takes its data is stuck.
 */
export function watchDeparture(socket: Socket, idleTimeoutMs: number): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setTimeout(idleTimeoutMs, () => {
    socket.destroy();
  });
  resetUnlessEnded(socket); // no status at all is success to kubectl
  let readBefore = -1;
  const look = setInterval(() => {
    const isStuck = socket.bytesRead === readBefore;
    readBefore = socket.bytesRead;
    if (isStuck && peerHasLeft(socket)) socket.destroy();
  }, LOOK_INTERVAL_MS);
  socket.on('close', () => {
    clearInterval(look);
  });
  socket.on('error', () => undefined); // 'close' follows
}
