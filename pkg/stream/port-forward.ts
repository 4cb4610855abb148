// Forwarding ports: each pair of streams, one for data and one for errors, is a connection into the pod.

import type { Duplex } from 'node:stream';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { carry, Output } from './copy.ts';
import type { PortForwardTarget, StreamBackend } from './backend.ts';
import type { SpdyStream } from './spdy/stream.ts';

/** The two streams of a connection. */
export interface ForwardPair {
  readonly data: Duplex;
  readonly error: Duplex;
  /** Whether the client can say that it sends no more; of one who cannot, the pod's end is the end. */
  readonly canHalfClose: boolean;
}

/** Puts the streams that a client opens together by twos. */
export class PairMaker {
  readonly #onPair: (pair: ForwardPair, port: number) => void;
  readonly #timeoutMs: number;
  readonly #halves = new Map<string, SpdyStream>();

  /** @param timeoutMs how long a client may take to open the second stream of a pair */
  constructor(timeoutMs: number, onPair: (pair: ForwardPair, port: number) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onPair = onPair;
  }

  /** A stream that is no half of anything is reset. */
  add(stream: SpdyStream): void {
    const type = stream.headers.get('streamtype');
    const port = parsePort(stream.headers.get('port'));
    if ((type !== 'data' && type !== 'error') || port === undefined) {
      stream.destroy();
      return;
    }
    // Clients of long ago send no number, and open the stream for data right after the one for errors.
    const first = type === 'error' ? stream.streamId : stream.streamId - 2;
    const key = `${port} ${stream.headers.get('requestid') ?? String(first)}`;
    const other = this.#halves.get(key);
    if (other === undefined) {
      this.#wait(key, stream);
      return;
    }
    this.#halves.delete(key);
    if (other.headers.get('streamtype') === type) {
      other.destroy();
      stream.destroy();
    } else {
      const [data, error] = type === 'data' ? [stream, other] : [other, stream];
      this.#onPair({ data, error, canHalfClose: true }, port);
    }
  }

  #wait(key: string, stream: SpdyStream): void {
    this.#halves.set(key, stream);
    const timer = setTimeout(() => {
      if (this.#halves.get(key) === stream) stream.destroy();
    }, this.#timeoutMs);
    stream.on('close', () => {
      clearTimeout(timer);
      if (this.#halves.get(key) === stream) this.#halves.delete(key);
    });
  }
}

function parsePort(text = ''): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

/**
 * Carries one connection to its end. Whatever goes wrong is told on its error stream, and concerns no other.
 *
 * @param call whose signal aborts when the client leaves
 */
export async function forward(
  backend: Pick<StreamBackend, 'connect'>,
  call: Call,
  { id }: PortForwardTarget,
  { data, error: errors, canHalfClose, port }: ForwardPair & { readonly port: number },
): Promise<void> {
  errors.resume(); // nothing that a client says there is of interest
  try {
    const connection = await backend.connect(call, id, port);
    await join(data, connection, { canHalfClose });
    errors.end();
  } catch (error) {
    const { message } = Fault.from(error);
    errors.end(`cannot forward port ${port} of pod sandbox "${id}": ${message}`);
    data.destroy();
  }
}

/**
 * Joins both until both are closed. When one is reset, so is the other; clients are not told more, because to
 * kubectl a message is a reason to give up all its connections.
 */
async function join(
  data: Duplex,
  connection: Duplex,
  { canHalfClose }: { readonly canHalfClose: boolean },
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    connection.on('error', () => data.destroy());
    connection.on('close', () => {
      if (data.writableEnded && data.readableEnded) resolve();
      else if (!data.writableEnded) data.destroy();
      else data.resume(); // the pod listens no more, and has said all
    });
    if (!canHalfClose) data.on('finish', () => data.destroy());
    data.on('close', () => {
      connection.destroy();
      resolve();
    });
  });
  data.on('error', () => undefined); // 'close' follows
  if (data.destroyed) connection.destroy();
  carry(data, connection);
  const output = new Output(connection, data);
  await closed;
  await output.done;
}
