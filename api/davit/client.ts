// A client of what Davit offers its operator beside the CRI, on the same socket.

import { SocketChannel } from '../channel.ts';
import { GeneratedClient } from './generated/client.ts';

/** `using client = new DavitClient('/run/davit/davit.sock')`: one method for each RPC. */
export class DavitClient extends GeneratedClient implements Disposable {
  readonly #channel: SocketChannel;

  /** @param socketPath absolute path of the unix socket; connecting begins with the first RPC */
  constructor(socketPath: string) {
    const channel = new SocketChannel(socketPath);
    super(channel);
    this.#channel = channel;
  }

  /** Waits until the server answers on its socket, for tests and for whoever has just started it. */
  waitForReady(timeoutMs: number): Promise<void> {
    return this.#channel.waitForReady(timeoutMs);
  }

  [Symbol.dispose](): void {
    this.#channel[Symbol.dispose]();
  }
}
