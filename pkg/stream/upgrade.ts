// The HTTP request by which a client asks for a stream: what it offers, and how it is answered.

import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** `POST /exec/<token>` with `Upgrade: SPDY/3.1`, or `GET` with `Upgrade: websocket`. */
export interface Upgrade {
  readonly transport: 'spdy' | 'websocket';
  /** Of `/exec/<token>`; '' where there is none. */
  readonly kind: string;
  readonly token: string;
  /** Subprotocols, the dearest first. */
  readonly offered: readonly string[];
}

/** @returns `undefined` if it wants something else to be spoken */
export function parseUpgrade({ headers, url = '' }: IncomingMessage): Upgrade | undefined {
  const wanted = (headers.upgrade ?? '').toLowerCase();
  const [path = ''] = url.split('?', 1);
  const [, kind = '', token = ''] = path.split('/');
  if (wanted === 'spdy/3.1') {
    return { transport: 'spdy', kind, token, offered: listOf(headers['x-stream-protocol-version']) };
  }
  if (wanted === 'websocket') {
    return { transport: 'websocket', kind, token, offered: listOf(headers['sec-websocket-protocol']) };
  }
  return undefined;
}

function listOf(value: string | readonly string[] | undefined): string[] {
  return [value ?? []]
    .flat()
    .flatMap((text) => text.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

export type ResponseHeaders = readonly (readonly [name: string, value: string])[];

/** Agrees to speak something other than HTTP from now on. */
export function accept(socket: Duplex, headers: ResponseHeaders): void {
  const agreed: ResponseHeaders = [['Connection', 'Upgrade'], ['Upgrade', 'SPDY/3.1'], ...headers];
  socket.write(encodeHead(101, agreed));
}

/** Answers, and closes the connection. */
export function refuse(socket: Duplex, status: number, message: string, headers: ResponseHeaders = []): void {
  const body = Buffer.from(`${message}\n`);
  const all: ResponseHeaders = [
    ['Connection', 'close'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(body.length)],
    ...headers,
  ];
  socket.on('error', () => undefined); // the client has left
  socket.end(Buffer.concat([Buffer.from(encodeHead(status, all)), body]), () => {
    socket.destroy();
  });
}

function encodeHead(status: number, headers: ResponseHeaders): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`;
}
