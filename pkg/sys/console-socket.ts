// The socket on which an OCI runtime hands over the terminal that it has made in the container.

import { rm } from 'node:fs/promises';
import type { Call } from '../base/call.ts';
import { AF_UNIX, SOCK_STREAM, socket, accept, listenUnix, receiveDescriptor } from './libc/socket.ts';
import { closeFd } from './pipe.ts';
import { untilReady } from './when-ready.ts';

export class ConsoleSocket implements AsyncDisposable {
  /** For `--console-socket`. */
  readonly path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** @param path of a socket that does not exist yet, of at most 107 bytes, where nobody else may connect */
  static listen(path: string): ConsoleSocket {
    const fd = socket(AF_UNIX, SOCK_STREAM);
    try {
      listenUnix(fd, path);
      return new ConsoleSocket(path, fd);
    } catch (error) {
      closeFd(fd);
      throw error;
    }
  }

  /**
   * Waits for the runtime.
   *
   * @returns a descriptor of the terminal's master, for the caller to close
   * @throws the reason of `call.signal`; {ErrnoError} the runtime hung up, or sent something else
   */
  async receive(call: Pick<Call, 'signal'>): Promise<number> {
    await untilReady(call, this.#fd, 'readable');
    const connection = accept(this.#fd);
    try {
      await untilReady(call, connection, 'readable');
      return receiveDescriptor(connection);
    } finally {
      closeFd(connection);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    closeFd(this.#fd);
    await rm(this.path, { force: true });
  }
}
