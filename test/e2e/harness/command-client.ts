// A client of exec and attach, over either transport, that keeps all it is told.

import { WebSocket } from 'ws';
import type { Duplex } from 'node:stream';
import { connectSpdy, type SpdyClient } from '../../../pkg/stream/testing/spdy-client.ts';
import { eventually } from './eventually.ts';

export const TRANSPORTS = ['spdy', 'websocket'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** What was asked of Exec or Attach; the client has to open just these. */
export interface Wanted {
  readonly stdin?: boolean;
  readonly stdout?: boolean;
  readonly stderr?: boolean;
  readonly tty?: boolean;
}

export interface Outcome {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** What came on the error stream; `undefined` if the connection ended without. */
  readonly status: unknown;
}

export interface CommandClient {
  write(data: string | Buffer): void;
  endStdin(): void;
  resize(width: number, height: number): void;
  readonly closed: boolean;
  /** So far. */
  outcome(): Outcome;
  /** Leaves without a word, as a client that is killed. */
  leave(): void;
  /** Reads no more. */
  pause(): void;
}

export async function connectCommand(
  transport: Transport,
  url: string,
  wanted: Wanted,
): Promise<CommandClient> {
  return transport === 'spdy' ? await overSpdy(url, wanted) : await overWebSocket(url);
}

/** Sends `input` and its end, and waits until the server closes. */
export async function talk(
  transport: Transport,
  url: string,
  wanted: Wanted & { readonly input?: string | Buffer },
): Promise<Outcome> {
  const client = await connectCommand(transport, url, wanted);
  if (wanted.input !== undefined) client.write(wanted.input);
  if (wanted.stdin === true) client.endStdin();
  await eventually('the server closes', () => client.closed);
  return client.outcome();
}

async function overSpdy(url: string, wanted: Wanted): Promise<CommandClient> {
  const client: SpdyClient = await connectSpdy(url);
  const open = (streamtype: string, isWanted: boolean | undefined) =>
    isWanted === true ? client.open({ streamtype }) : 0;
  const error = open('error', true);
  const [stdin, stdout] = [open('stdin', wanted.stdin), open('stdout', wanted.stdout)];
  const [stderr, resize] = [open('stderr', wanted.stderr), open('resize', wanted.tty)];
  const bytes = (id: number) => Buffer.concat(client.stream(id).chunks);
  return {
    write: (data) => {
      for (const part of partsOf(data)) client.send(stdin, part);
    },
    endStdin: () => void client.send(stdin, '', { fin: true }),
    resize: (Width, Height) => void client.send(resize, JSON.stringify({ Width, Height })),
    get closed() {
      return client.closed;
    },
    outcome: () => ({ stdout: bytes(stdout), stderr: bytes(stderr), status: parse(bytes(error)) }),
    leave: () => client.transport.destroy(),
    pause: () => void client.transport.pause(),
  };
}

/** Channels of v5.channel.k8s.io: the first byte of each message. */
const [STDIN, STDOUT, STDERR, STATUS, RESIZE, CLOSE] = [0, 1, 2, 3, 4, 255] as const;

async function overWebSocket(url: string): Promise<CommandClient> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'v5.channel.k8s.io');
  const channels = new Map<number, Buffer[]>();
  socket.on('message', (message: Buffer) => {
    const [channel = -1] = message;
    channels.set(channel, [...(channels.get(channel) ?? []), message.subarray(1)]);
  });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve).on('error', reject);
  });
  const send = (channel: number, data: string | Buffer) => {
    socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]));
  };
  const bytes = (channel: number) => Buffer.concat(channels.get(channel) ?? []);
  return {
    write: (data) => {
      for (const part of partsOf(data)) send(STDIN, part);
    },
    endStdin: () => {
      send(CLOSE, Buffer.of(STDIN));
    },
    resize: (Width, Height) => {
      send(RESIZE, JSON.stringify({ Width, Height }));
    },
    get closed() {
      return socket.readyState === socket.CLOSED;
    },
    outcome: () => ({ stdout: bytes(STDOUT), stderr: bytes(STDERR), status: parse(bytes(STATUS)) }),
    leave: () => {
      connectionOf(socket).destroy();
    },
    pause: () => {
      socket.pause();
    },
  };
}

/** Frames and messages of this length are what Kubernetes' clients write. */
const PART_BYTES = 32 * 1024;

export function partsOf(data: string | Buffer): Buffer[] {
  const bytes = Buffer.from(data);
  const count = Math.ceil(bytes.length / PART_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES));
}

/** `ws` has no way to leave without a word. */
function connectionOf(socket: WebSocket): Duplex {
  return (socket as unknown as { readonly _socket: Duplex })._socket;
}

function parse(text: Buffer): unknown {
  return text.length === 0 ? undefined : (JSON.parse(text.toString()) as unknown);
}
