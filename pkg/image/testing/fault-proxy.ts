// Stands between us and a registry, and does what networks do: cuts, delays, truncates, corrupts, drips, refuses.

import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

export type NetworkFault =
  /** The connection breaks: before the answer, or after so much of its body. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly corruptAt?: number }
  /** The answer ends well and too early. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** One byte is another. */
  | { readonly kind: 'corrupt'; readonly at: number }
  | { readonly kind: 'delay'; readonly ms: number }
  /** So many bytes at a time. */
  | { readonly kind: 'drip'; readonly bytes: number; readonly everyMs: number }
  /** Nothing comes any more after so many bytes. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>> };

export interface SeenRequest {
  /** `a/b/manifests/latest` */
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
}

/** @param nth of the requests for this path, from 1 on */
export type Misbehaviour = (path: string, nth: number, seen: SeenRequest) => NetworkFault | undefined;

export class FaultProxy implements AsyncDisposable {
  readonly seen: SeenRequest[] = [];
  misbehave: Misbehaviour = () => undefined;
  readonly #server: Server;
  readonly #upstream: string;

  private constructor(upstream: string) {
    this.#upstream = upstream;
    this.#server = createServer((incoming, response) => {
      response.on('error', () => undefined);
      this.#handle(incoming, response).catch(() => response.destroy());
    });
  }

  /** @param upstream `127.0.0.1:5000` */
  static async start(upstream: string, address = '127.0.0.1'): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await new Promise<void>((resolve) => proxy.#server.listen(0, address, resolve));
    return proxy;
  }

  /** `127.0.0.1:41234` */
  get host(): string {
    const { address, family, port } = this.#server.address() as AddressInfo;
    return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** The ranges that were asked for of blobs. */
  get ranges(): (string | undefined)[] {
    return this.seen.filter(({ path }) => path.includes('/blobs/')).map(({ headers }) => headers.range);
  }

  async #handle(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(incoming.url ?? '/', 'http://proxy').pathname.replace(/^\/v2\//, '');
    const seen = { path, headers: incoming.headers };
    this.seen.push(seen);
    const nth = this.seen.filter((other) => other.path === path).length;
    const fault = this.misbehave(path, nth, seen);
    if (fault?.kind === 'reset') return void incoming.socket.destroy();
    if (fault?.kind === 'answer') return void response.writeHead(fault.status, fault.headers).end('{}');
    if (fault?.kind === 'delay') await delay(fault.ms);
    await passOn(fault, response, await this.#forward(incoming));
  }

  async #forward(incoming: IncomingMessage): Promise<{ answer: IncomingMessage; body: Buffer }> {
    const [hostname, port] = [this.#upstream.replace(/:\d+$/, ''), this.#upstream.replace(/^.*:/, '')];
    const { url: path, method, headers } = incoming;
    const outgoing = httpRequest({
      hostname,
      port,
      path,
      method,
      headers: { ...headers, host: this.#upstream },
    });
    incoming.pipe(outgoing);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on('response', resolve).on('error', reject);
    });
    return { answer, body: await buffer(answer) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Sends the answer on, as the fault has it. */
async function passOn(
  fault: NetworkFault | undefined,
  response: ServerResponse,
  { answer, body }: { answer: IncomingMessage; body: Buffer },
): Promise<void> {
  const headers = { ...answer.headers };
  if (fault?.kind === 'truncate') delete headers['content-length'];
  response.writeHead(answer.statusCode ?? 500, headers);
  if (fault?.kind === 'cut') {
    response.write(damaged(body, fault), () => setImmediate(() => response.destroy()));
  } else if (fault?.kind === 'stall') {
    response.write(body.subarray(0, fault.afterBytes));
  } else if (fault?.kind === 'drip') {
    await drip(response, body, fault);
  } else {
    response.end(damaged(body, fault));
  }
}

function damaged(body: Buffer, fault: NetworkFault | undefined): Buffer {
  if (fault?.kind === 'truncate') return body.subarray(0, fault.bytes);
  if (fault?.kind === 'corrupt') corrupt(body, fault.at);
  if (fault?.kind !== 'cut') return body;
  if (fault.corruptAt !== undefined) corrupt(body, fault.corruptAt);
  return body.subarray(0, fault.afterBytes);
}

function corrupt(body: Buffer, at: number): void {
  body.writeUInt8(body.readUInt8(at) ^ 0xff, at);
}

async function drip(
  response: ServerResponse,
  body: Buffer,
  { bytes, everyMs }: Extract<NetworkFault, { kind: 'drip' }>,
): Promise<void> {
  for (let at = 0; at < body.length && !response.destroyed; at += bytes) {
    response.write(body.subarray(at, at + bytes));
    await delay(everyMs);
  }
  response.end();
}
