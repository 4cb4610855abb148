// One stream of a SPDY connection. Its two sides end apart from each other; destroyed before both have, it
// resets the client's.

import { Duplex } from 'node:stream';
import { hold } from '../release.ts';
import type { Headers } from './header-block.ts';

/** What a stream needs of its connection. */
export interface StreamWriter {
  /** Calls `done` when the connection takes more. */
  sendData(streamId: number, chunk: Buffer, done: () => void): void;
  sendFin(streamId: number): void;
  /** The stream is no more. @param options.reset whether the client has to be told */
  forget(streamId: number, options: { readonly reset: boolean }): void;
}

/** How much waits to be read before the client's connection is read no further. */
const HIGH_WATER_MARK = 32 * 1024;

export class SpdyStream extends Duplex {
  readonly streamId: number;
  readonly headers: Headers;
  readonly #writer: StreamWriter;
  #onRoom: (() => void) | undefined;
  #isReset = false;

  constructor(streamId: number, headers: Headers, writer: StreamWriter) {
    super({ highWaterMark: HIGH_WATER_MARK });
    this.streamId = streamId;
    this.headers = headers;
    this.#writer = writer;
    this.on('error', () => undefined); // whoever uses the stream may have gone; 'close' follows
  }

  /** Takes what the client sends. @returns a promise if the reader must catch up first */
  receive(payload: Buffer): Promise<void> | undefined {
    if (this.destroyed || this.readableEnded) return undefined;
    hold(payload);
    if (this.push(payload)) return undefined;
    return new Promise((resolve) => {
      this.#onRoom = resolve;
    });
  }

  /** The client sends no more. */
  receiveFin(): void {
    if (!this.destroyed) this.push(null);
  }

  /** The client wants nothing more of it. */
  receiveReset(): void {
    this.#isReset = true;
    this.destroy(new Error('the client has reset the stream'));
  }

  override _read(): void {
    this.#onRoom?.();
    this.#onRoom = undefined;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#writer.sendData(this.streamId, chunk, done);
  }

  override _final(done: () => void): void {
    this.#writer.sendFin(this.streamId);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this._read();
    const isOver = this.readableEnded && this.writableFinished;
    this.#writer.forget(this.streamId, { reset: !isOver && !this.#isReset });
    done(error);
  }
}
