// Streams over a WebSocket: the first byte of each message says which one it belongs to.

import { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { release } from '../release.ts';
import { LINGER_MS, within } from '../within.ts';

export interface ChannelsOptions {
  readonly socket: WebSocket;
  /** `base64`: messages are text, and the channel is a digit. */
  readonly encoding: 'binary' | 'base64';
  /** Whether a client can say that it writes no more to a channel. */
  readonly canClose: boolean;
}

/** A message on it names a channel that the client has closed. Since v5.channel.k8s.io. */
const CLOSE_CHANNEL = 255;

/** How much waits to be read before the client's connection is read no further. */
const HIGH_WATER_MARK = 64 * 1024;

/** Answers to pings that the client does not take; one who lets it come to this is cut off. */
const MAX_PENDING_PONG_BYTES = 1024 * 1024;

const NORMAL_CLOSURE = 1000;

export class Channels {
  /** Aborts when the client has left. */
  readonly left: AbortSignal;
  readonly #options: ChannelsOptions;
  readonly #channels = new Map<number, Channel>();

  constructor(options: ChannelsOptions) {
    this.#options = options;
    const { socket } = options;
    const left = new AbortController();
    this.left = left.signal;
    socket.on('message', (data, isBinary) => {
      this.#receive(toBuffer(data), isBinary);
    });
    socket.on('ping', (data) => {
      if (socket.bufferedAmount > MAX_PENDING_PONG_BYTES) socket.terminate();
      else socket.pong(data);
    });
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => {
      left.abort(new Error('the client left'));
      for (const channel of this.#channels.values()) channel.destroy();
    });
  }

  /** What belongs to the other side of a channel. Of one that nobody has opened, messages are thrown away. */
  open(number: number): Duplex {
    const channel = new Channel({
      send: (chunk, done) => {
        this.#send(number, chunk, done);
      },
      onStalled: () => {
        this.#options.socket.pause();
      },
      onRoom: () => {
        if ([...this.#channels.values()].every(({ isStalled }) => !isStalled)) this.#options.socket.resume();
      },
    });
    this.#channels.set(number, channel);
    return channel;
  }

  /** Says goodbye, and waits until the client has gone too. What it sends meanwhile is thrown away. */
  async close(): Promise<void> {
    const { socket } = this.#options;
    if (this.left.aborted) return;
    const closed = new Promise<void>((resolve) =>
      socket.once('close', () => {
        resolve();
      }),
    );
    for (const channel of this.#channels.values()) channel.resume();
    socket.resume();
    socket.close(NORMAL_CLOSURE);
    await within(LINGER_MS, closed);
    socket.terminate();
  }

  #receive(message: Buffer, isBinary: boolean): void {
    const [number, payload] = isBinary
      ? [message[0], message.subarray(1)]
      : [digitOf(message[0]), Buffer.from(message.toString('latin1', 1), 'base64')];
    if (number === undefined) return;
    if (this.#options.canClose && number === CLOSE_CHANNEL)
      this.#channels.get(payload[0] ?? -1)?.receiveEnd();
    else this.#channels.get(number)?.receive(payload);
  }

  #send(number: number, chunk: Buffer, done: () => void): void {
    const { socket, encoding } = this.#options;
    if (socket.readyState !== socket.OPEN) {
      done();
      return;
    }
    if (encoding === 'base64') {
      socket.send(`${number}${chunk.toString('base64')}`, done); // that the client has left shows in 'close'
      return;
    }
    const message = Buffer.concat([Buffer.of(number), chunk]);
    socket.send(message, () => {
      release(message);
      done();
    });
  }
}

interface ChannelOptions {
  readonly send: (chunk: Buffer, done: () => void) => void;
  readonly onStalled: () => void;
  readonly onRoom: () => void;
}

class Channel extends Duplex {
  readonly #options: ChannelOptions;
  isStalled = false;
  #hasEnded = false;

  constructor(options: ChannelOptions) {
    super({ readableHighWaterMark: HIGH_WATER_MARK });
    this.#options = options;
    this.on('error', () => undefined); // 'close' follows
  }

  receive(payload: Buffer): void {
    if (this.destroyed || this.#hasEnded || payload.length === 0 || this.push(payload)) return;
    this.isStalled = true;
    this.#options.onStalled();
  }

  receiveEnd(): void {
    if (!this.destroyed && !this.#hasEnded) this.push(null);
    this.#hasEnded = true;
  }

  override _read(): void {
    if (!this.isStalled) return;
    this.isStalled = false;
    this.#options.onRoom();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#options.send(chunk, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read();
    done(error);
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}

/** `0` to `9` are the channels of text messages. */
function digitOf(byte: number | undefined): number | undefined {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : undefined;
}
