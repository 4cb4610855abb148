// A client of port-forward: SPDY, as it is or within a WebSocket as kubectl has it.

import {
  connectSpdy,
  type ReceivedStream,
  type SpdyClient,
} from '../../../pkg/stream/testing/spdy-client.ts';
import { connectTunnel } from '../../../pkg/stream/testing/tunnel-client.ts';
import { partsOf, type Transport } from './command-client.ts';
import { eventually } from './eventually.ts';

/** One forwarded connection. */
export interface Forwarded {
  readonly data: ReceivedStream;
  /** What the server said of it on its error stream. */
  readonly error: ReceivedStream;
  write(data: string | Buffer): void;
  end(): void;
  /** Waits until the server has ended or reset both streams. */
  over(): Promise<void>;
}

export class ForwardClient implements Disposable {
  readonly spdy: SpdyClient;
  #requests = 0;

  private constructor(spdy: SpdyClient) {
    this.spdy = spdy;
  }

  static async connect(transport: Transport, url: string): Promise<ForwardClient> {
    if (transport === 'spdy') return new ForwardClient(await connectSpdy(url, ['portforward.k8s.io']));
    return new ForwardClient(await connectTunnel(url));
  }

  open(port: number): Forwarded {
    const headers = { port: String(port), requestid: String(this.#requests++) };
    const error = this.spdy.open({ ...headers, streamtype: 'error' });
    const data = this.spdy.open({ ...headers, streamtype: 'data' });
    this.spdy.send(error, '', { fin: true });
    const streams = [this.spdy.stream(data), this.spdy.stream(error)];
    return {
      data: this.spdy.stream(data),
      error: this.spdy.stream(error),
      write: (bytes) => {
        for (const part of partsOf(bytes)) this.spdy.send(data, part);
      },
      end: () => void this.spdy.send(data, '', { fin: true }),
      over: async () => {
        await eventually('the connection ends', () => streams.every(({ ended, reset }) => ended || reset));
      },
    };
  }

  [Symbol.dispose](): void {
    this.spdy[Symbol.dispose]();
  }
}
