// The streaming server: hands out URLs, each for one stream, and serves whoever comes with one of them.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { StreamBackend, StreamTarget } from './backend.ts';
import { watchDeparture } from './departure.ts';
import { serveClient } from './session.ts';
import { TlsFiles, type TlsPaths } from './tls-files.ts';
import { Tokens } from './tokens.ts';
import { parseUpgrade, refuse } from './upgrade.ts';
import { LINGER_MS, within } from './within.ts';

export interface StreamingOptions {
  readonly backend: StreamBackend;
  readonly log: Log;
  /** An address of this node; clients are the kubelet and crictl. */
  readonly address: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Absent for streams in the clear. */
  readonly tls?: TlsPaths | undefined;
  /** After so long without a byte in either direction a stream is cut. */
  readonly idleTimeoutMs: number;
  /** How long a client may take from its connection to all its streams. */
  readonly creationTimeoutMs?: number;
  /** How long a client may take to ask. */
  readonly requestTimeoutMs?: number;
  /** How long a URL is good for. */
  readonly tokenLifetimeMs?: number;
}

const CREATION_TIMEOUT_MS = 30_000;
const TOKEN_LIFETIME_MS = 60_000;
const MAX_PENDING = 1000;

/** Connections that are no streams yet. */
const MAX_HEADER_BYTES = 16 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 1000;

/** Of all clients, so that they cannot use up our descriptors. */
const MAX_CONNECTIONS = 10_000;

export class StreamServer implements AsyncDisposable {
  readonly #options: StreamingOptions;
  readonly #http: Server;
  readonly #tokens: Tokens<StreamTarget>;
  readonly #stopping = new AbortController();
  readonly #sessions = new Set<Promise<void>>();
  readonly #connections = new Set<Socket>();
  readonly #tlsFiles: TlsFiles | undefined;

  private constructor(options: StreamingOptions, tlsFiles?: TlsFiles) {
    this.#options = options;
    this.#tlsFiles = tlsFiles;
    const lifetimeMs = options.tokenLifetimeMs ?? TOKEN_LIFETIME_MS;
    this.#tokens = new Tokens({ lifetimeMs, maxPending: MAX_PENDING, now: () => performance.now() });
    this.#http = makeServer(options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS, tlsFiles);
    this.#http.maxConnections = MAX_CONNECTIONS;
    this.#http.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
    });
    this.#http.on('request', (_request, response) => {
      response.writeHead(400, { Connection: 'close' }).end('this is for streams: SPDY/3.1 or WebSocket\n');
    });
    this.#http.on('upgrade', (request: IncomingMessage, _socket: Duplex, head: Buffer) => {
      this.#onUpgrade(request, request.socket, head);
    });
  }

  /** @throws {Fault} unavailable — the address cannot be listened on; invalid_argument — a file of TLS */
  static async listen(options: StreamingOptions): Promise<StreamServer> {
    const { address, port, tls, log } = options;
    const server = new StreamServer(options, tls && (await TlsFiles.open(tls, log)));
    server.#http.listen(port, address);
    try {
      await once(server.#http, 'listening');
    } catch (cause) {
      server.#tlsFiles?.[Symbol.dispose]();
      throw new Fault('unavailable', `cannot listen on "${address}" port ${port} for streams`, { cause });
    }
    return server;
  }

  /**
   * Where a client can have this, once and soon.
   *
   * @throws {Fault} resource_exhausted — too many URLs are not used yet
   */
  url(target: StreamTarget): string {
    const { address, port } = this.#http.address() as AddressInfo; // it listens on TCP
    const host = address.includes(':') ? `[${address}]` : address;
    const scheme = this.#tlsFiles === undefined ? 'http' : 'https';
    return `${scheme}://${host}:${port}/${target.kind}/${this.#tokens.issue(target)}`;
  }

  /** Ends all streams: their clients are told, and their commands killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#http, 'close');
    this.#tlsFiles?.[Symbol.dispose]();
    this.#http.close();
    this.#stopping.abort(new Fault('unavailable', 'the daemon is stopping'));
    this.#http.closeAllConnections();
    await within(2 * LINGER_MS, Promise.all(this.#sessions));
    for (const socket of this.#connections) socket.destroy(); // such as those that are still shaking hands
    await closed;
  }

  #onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { backend, log, idleTimeoutMs, creationTimeoutMs = CREATION_TIMEOUT_MS } = this.#options;
    const upgrade = parseUpgrade(request);
    if (upgrade === undefined) {
      refuse(socket, 400, 'this is for streams: SPDY/3.1 or WebSocket');
      return;
    }
    const target = this.#tokens.take(upgrade.token);
    if (target?.kind !== upgrade.kind) {
      refuse(socket, 404, 'there is no such stream: a URL is good once, and for a minute');
      return;
    }
    watchDeparture(socket, idleTimeoutMs);
    const call = { signal: this.#stopping.signal, log };
    const session = serveClient({ backend, call, creationTimeoutMs }, target, {
      ...{ request, socket, head, upgrade },
    })
      .catch((error: unknown) => {
        log.info({ kind: target.kind, id: target.id, error: Fault.from(error).message }, 'stream failed');
      })
      .finally(() => {
        socket.destroy();
        this.#sessions.delete(session);
      });
    this.#sessions.add(session);
  }
}

function makeServer(requestTimeoutMs: number, tlsFiles: TlsFiles | undefined): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
  };
  if (tlsFiles === undefined) return createServer(limits);
  const { current } = tlsFiles;
  const server: TlsServer = createTlsServer({
    ...limits,
    ...current,
    handshakeTimeout: requestTimeoutMs,
    requestCert: current.ca !== undefined,
  });
  tlsFiles.onChange = (changed) => {
    server.setSecureContext(changed);
  };
  return server;
}
