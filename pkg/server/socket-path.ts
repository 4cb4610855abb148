// Making a path free for a unix socket, without taking it from a daemon that is alive.

import { lstat, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Fault } from '../base/fault.ts';

/** The kernel's limit, without the terminating zero. Source: unix(7). */
const MAX_PATH_BYTES = 107;

/**
 * Removes the socket that a daemon before us left behind.
 *
 * @throws {Fault} invalid_argument — the path is too long for a socket
 * @throws {Fault} failed_precondition — somebody answers there, it is no socket, or its directory is missing
 */
export async function claimSocketPath(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new Fault('invalid_argument', `socket path "${path}" is longer than ${MAX_PATH_BYTES} bytes`);
  }
  const directory = await stat(dirname(path)).catch(() => undefined);
  if (directory?.isDirectory() !== true) {
    throw new Fault('failed_precondition', `there is no directory "${dirname(path)}" for the socket`);
  }
  const existing = await lstat(path).catch(() => undefined);
  if (existing === undefined) return;
  if (!existing.isSocket()) {
    throw new Fault('failed_precondition', `cannot listen on "${path}": it is there and is no socket`);
  }
  if (await answers(path)) {
    throw new Fault('failed_precondition', `cannot listen on "${path}": another process does`);
  }
  await rm(path, { force: true });
}

/** Whether a process accepts connections. Any doubt counts as yes. */
async function answers(path: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}
