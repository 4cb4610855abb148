// A client of SPDY/3.1 for tests, made from the specification rather than from the server's code.

import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { DICTIONARY } from '../spdy/dictionary.ts';

/** What has come on one stream. */
export class ReceivedStream {
  readonly chunks: Buffer[] = [];
  replied = false;
  ended = false;
  reset = false;

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

export class SpdyClient implements Disposable {
  readonly transport: Duplex;
  readonly streams = new Map<number, ReceivedStream>();
  readonly pongs: number[] = [];
  goneAway = false;
  closed = false;
  #nextId = 1;
  #hasSentHeaders = false;
  #rest = Buffer.alloc(0);

  constructor(transport: Duplex) {
    this.transport = transport;
    transport.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    transport.on('error', () => undefined);
    transport.on('end', () => transport.end());
    transport.on('close', () => {
      this.closed = true;
    });
  }

  /** Opens a stream, and does not wait for an answer. */
  open(headers: Record<string, string>, flags = 0): number {
    const id = this.#nextId;
    this.#nextId += 2;
    this.streams.set(id, new ReceivedStream());
    this.transport.write(synStream(id, flags, this.compress(headers)));
    return id;
  }

  compress(headers: Record<string, string>): Buffer {
    const block = storedBlock(encodeHeaders(headers));
    const prefix = this.#hasSentHeaders ? [] : [ZLIB_PREFIX];
    this.#hasSentHeaders = true;
    return Buffer.concat([...prefix, block]);
  }

  send(id: number, data: string | Buffer, options: { readonly fin?: boolean } = {}): boolean {
    return this.transport.write(dataFrame(id, Buffer.from(data), options.fin === true ? 1 : 0));
  }

  ping(id: number): void {
    this.transport.write(controlFrame(6, 0, uint32(id)));
  }

  stream(id: number): ReceivedStream {
    return this.streams.get(id) ?? new ReceivedStream();
  }

  #receive(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 8) {
      const length = 8 + this.#rest.readUIntBE(5, 3);
      if (this.#rest.length < length) return;
      this.#frame(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
  }

  #frame(frame: Buffer): void {
    const payload = frame.subarray(8);
    if ((frame[0]! & 0x80) === 0) {
      const stream = this.stream(frame.readUInt32BE(0));
      if (!stream.replied) throw new Error('data came before the reply');
      if (payload.length > 0) stream.chunks.push(payload);
      if ((frame[4]! & 1) !== 0) stream.ended = true;
      return;
    }
    const type = frame.readUInt16BE(2);
    if (type === 2) this.stream(payload.readUInt32BE(0)).replied = true;
    if (type === 3) this.stream(payload.readUInt32BE(0)).reset = true;
    if (type === 6) this.pongs.push(payload.readUInt32BE(0));
    if (type === 7) this.goneAway = true;
  }

  [Symbol.dispose](): void {
    this.transport.destroy();
  }
}

export interface UpgradeOptions {
  readonly protocols?: readonly string[] | undefined;
  readonly upgrade?: string;
  readonly tls?: SecureContextOptions | undefined;
}

/** Upgrades to SPDY. @returns the HTTP status if the server refuses */
export async function upgrade(
  url: string,
  options: UpgradeOptions = {},
): Promise<{ socket: Duplex; protocol: string | undefined } | number> {
  const { protocols = ['v4.channel.k8s.io'], upgrade: name = 'SPDY/3.1', tls } = options;
  const headers = { Connection: 'Upgrade', Upgrade: name, 'X-Stream-Protocol-Version': [...protocols] };
  const send = url.startsWith('https:') ? requestTls : request;
  const sent = send(url, { method: 'POST', headers, agent: false, ...tls });
  sent.end();
  return await new Promise((resolve, reject) => {
    sent.on('upgrade', (response, socket) => {
      resolve({ socket, protocol: response.headers['x-stream-protocol-version'] as string | undefined });
    });
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject);
  });
}

export async function connectSpdy(
  url: string,
  protocols?: readonly string[],
  tls?: SecureContextOptions,
): Promise<SpdyClient> {
  const upgraded = await upgrade(url, { protocols, tls });
  if (typeof upgraded === 'number') throw new Error(`refused with ${upgraded}`);
  return new SpdyClient(upgraded.socket);
}

export function uint32(...values: readonly number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );
}

export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.concat([Buffer.of(0x80, 3, 0, type), uint32(payload.length)]);
  head[4] = flags;
  return Buffer.concat([head, payload]);
}

export function synStream(id: number, flags: number, headers: Buffer): Buffer {
  return controlFrame(1, flags, Buffer.concat([uint32(id, 0), Buffer.alloc(2), headers]));
}

export function dataFrame(id: number, data: Buffer, flags: number): Buffer {
  const head = uint32(id, data.length);
  head[4] = flags;
  return Buffer.concat([head, data]);
}

export function encodeHeaders(headers: Record<string, string>): Buffer {
  const entries = Object.entries(headers);
  const texts = entries.flat().map((text) => Buffer.concat([uint32(text.length), Buffer.from(text)]));
  return Buffer.concat([uint32(entries.length), ...texts]);
}

/** zlib's header and the checksum of the dictionary, computed here. */
const ZLIB_PREFIX = Buffer.concat([Buffer.of(0x78, 0xbb), uint32(adler32(DICTIONARY))]);

/** Not compressed: deflate's block type 0, and the empty block of a flush. */
function storedBlock(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(bytes.length, 1);
  head.writeUInt16LE(bytes.length ^ 0xffff, 3);
  return Buffer.concat([head, bytes, Buffer.from('000000ffff', 'hex')]);
}

function adler32(bytes: Buffer): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 65_536 + a;
}
