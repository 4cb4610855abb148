// Tells systemd, if it started us and asked for it, how we are. Source: sd_notify(3).

import { closeSync } from 'node:fs';
import { AF_UNIX, connectUnix, send, SOCK_DGRAM, socket } from './libc/socket.ts';

/**
 * Sends `READY=1`, `STOPPING=1`, `STATUS=…`; several lines make one message. Does nothing without systemd.
 *
 * @throws {ErrnoError} systemd's socket does not take it
 */
export function notifySystemd(state: string): void {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return;
  const fd = socket(AF_UNIX, SOCK_DGRAM);
  try {
    connectUnix(fd, path);
    send(fd, Buffer.from(state));
  } finally {
    closeSync(fd);
  }
}
