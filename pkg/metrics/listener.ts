// Where Prometheus fetches the metrics: a listener of its own, on loopback or a unix socket, that knows GET /metrics
// and nothing else. Whoever connects is hostile: sizes, times and numbers are bounded, and no request is believed.

import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { ListenOptions } from 'node:net';
import { SingleFlight } from '../async/single-flight.ts';
import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';

export interface MetricsListenerOptions {
  /** `127.0.0.1:9102`, `[::1]:9102`, or the absolute path of a socket. */
  readonly address: string;
  /** PEM texts; with them the listener speaks TLS. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** Everything that is to be told, as text. */
  readonly render: (signal: AbortSignal) => Promise<string>;
  readonly log: Log;
}

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** A scraper sends a few hundred bytes, in milliseconds. */
const LIMITS = {
  maxHeaderSize: 8 * 1024,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 75_000, // longer than Prometheus waits between scrapes
  connectionsCheckingInterval: 1_000,
};
const MAX_CONNECTIONS = 16;
/** For one answer, from the question to the last byte read. */
const ANSWER_TIMEOUT_MS = 30_000;

export class MetricsListener implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws {Fault} unavailable — the address cannot be had, or certificate and key do not fit */
  static async listen(options: MetricsListenerOptions): Promise<MetricsListener> {
    const { address, tls } = options;
    try {
      const listener = toRequestListener(options);
      const server =
        tls === undefined ? createServer(LIMITS, listener) : createTlsServer({ ...LIMITS, ...tls }, listener);
      server.maxConnections = MAX_CONNECTIONS;
      server.maxRequestsPerSocket = 0;
      server.setTimeout(ANSWER_TIMEOUT_MS); // of silence on a connection under way
      await bind(server, toListenOptions(address));
      return new MetricsListener(server);
    } catch (cause) {
      throw new Fault('unavailable', `cannot serve metrics on "${address}"`, { cause });
    }
  }

  /** What it listens on: the port that was chosen, if 0 was asked for. */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') return address ?? '';
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `${host}:${address.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }
}

function bind(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function toListenOptions(address: string): ListenOptions {
  if (address.startsWith('/')) return { path: address };
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host, port: Number(address.slice(colon + 1)) };
}

function toRequestListener({ render, log }: MetricsListenerOptions): RequestListener {
  const renders = new SingleFlight<'all', string>(); // many scrapers cost no more than one
  return (request, response) => {
    const gone = new AbortController();
    response.once('close', () => {
      gone.abort(new Fault('cancelled', 'the scraper went away'));
    });
    const timer = setTimeout(() => request.socket.destroy(), ANSWER_TIMEOUT_MS);
    response.once('close', () => {
      clearTimeout(timer);
    });
    if (refused(request, response)) return;
    renders.do('all', gone.signal, render).then(
      (text) => {
        answer(response, 200, text);
      },
      (thrown: unknown) => {
        if (gone.signal.aborted) return;
        log.warn({ err: Fault.from(thrown) }, 'metrics cannot be told');
        answer(response, 500, 'metrics cannot be told; the log of davit says why\n');
      },
    );
  };
}

/** Whether the request was answered here, since it is not for metrics. */
function refused({ url, method, headers }: IncomingMessage, response: ServerResponse): boolean {
  const hasBody = headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
  if (url?.split('?', 1)[0] !== '/metrics') answer(response, 404, 'there is only /metrics\n');
  else if (method !== 'GET') answer(response, 405, 'there is only GET\n');
  else if (hasBody) answer(response, 400, 'there is no need for a body\n');
  else return false;
  return true;
}

/** Whoever asks for something else is not listened to any longer. */
function answer(response: ServerResponse, status: number, text: string): void {
  const type = status === 200 ? CONTENT_TYPE : 'text/plain; charset=utf-8';
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'x-content-type-options': 'nosniff',
    ...(status === 200 ? {} : { connection: 'close' }),
  });
  response.end(text);
}
