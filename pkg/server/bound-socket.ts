// The server's socket on its path. Somebody may remove it, and nobody could call the daemon any more: it is looked
// at from time to time, and bound again. Whoever is connected is asked to connect again once its RPCs are answered.

import { ServerCredentials, type Server } from '@grpc/grpc-js';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { isThere } from '../sys/files.ts';

/** Read and write for root and the socket's group. */
const SOCKET_MODE = 0o660;
/** Of its directory, if that is gone too: others may pass through. */
const DIRECTORY_MODE = 0o711;

export interface BoundSocketOptions {
  readonly path: string;
  readonly log: Log;
  /** How often it is looked at, in milliseconds. */
  readonly intervalMs?: number;
}

/** A kubelet asks for the status every few seconds. */
const INTERVAL_MS = 1000;

export class BoundSocket implements Disposable {
  readonly #server: Server;
  readonly #options: BoundSocketOptions;
  readonly #timer: NodeJS.Timeout;
  #isLooking = false;
  #isDisposed = false;
  /** Said once, until it could be bound. */
  #isFailing = false;

  private constructor(server: Server, options: BoundSocketOptions) {
    this.#server = server;
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), options.intervalMs ?? INTERVAL_MS).unref(); // never rejects
  }

  /** @throws {Fault} unavailable, internal — it cannot be bound, or its mode not be set */
  static async bind(server: Server, options: BoundSocketOptions): Promise<BoundSocket> {
    await bind(server, options.path);
    return new BoundSocket(server, options);
  }

  /** From now on it is left as it is; the server closes it. */
  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      // whatever is at its place now is not ours to remove
      if (!(await isThere(this.#options.path)) && !this.#isDisposed) await this.#bindAgain();
      this.#isFailing = false;
    } catch (err) {
      const { path, log } = this.#options;
      if (!this.#isFailing && !this.#isDisposed)
        log.error({ path, err }, 'socket was removed and cannot be made again yet');
      this.#isFailing = true;
    }
    this.#isLooking = false;
  }

  async #bindAgain(): Promise<void> {
    const { path, log } = this.#options;
    await mkdir(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    this.#server.unbind(toUri(path)); // what listens there can be reached by nobody
    await bind(this.#server, path);
    log.warn({ path }, 'socket was removed; it is made again');
  }
}

async function bind(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(toUri(path), ServerCredentials.createInsecure(), (cause) => {
      if (cause) reject(new Fault('unavailable', `cannot listen on "${path}"`, { cause }));
      else resolve();
    });
  });
  await chmod(path, SOCKET_MODE).catch((cause: unknown) => {
    throw new Fault('internal', `cannot set the mode of "${path}"`, { cause });
  });
}

function toUri(path: string): string {
  return `unix:${path}`;
}
