// A SPDY/3.1 connection, the server's side. It reads only as fast as its streams are read, and writes only as
// fast as the client takes it; the client opens all streams.

import type { Duplex } from 'node:stream';
import { Fault } from '../../base/fault.ts';
import { release, share } from '../release.ts';
import { LINGER_MS, within } from '../within.ts';
import { FrameParser, type Frame } from './frame-parser.ts';
import * as frame from './frame.ts';
import { HeaderReader, type Headers } from './header-block.ts';
import { SpdyStream, type StreamWriter } from './stream.ts';

export interface SpdyConnectionOptions {
  /** Where the frames come from and go to. */
  readonly transport: Duplex;
  /** How many streams may be open at the same time. */
  readonly maxStreams: number;
  /** A new stream; whoever is given it reads it, or it holds back all others. */
  readonly onStream: (stream: SpdyStream) => void;
}

export class SpdyConnection implements StreamWriter {
  readonly #transport: Duplex;
  readonly #options: SpdyConnectionOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #waiting: (() => void)[] = [];
  #lastStreamId = 0;
  #hasReplied = false;
  #closing = false;

  constructor(options: SpdyConnectionOptions) {
    this.#options = options;
    this.#transport = options.transport;
    this.#transport.on('drain', () => {
      this.#drain();
    });
    this.#transport.on('error', () => undefined); // 'close' follows
    this.#transport.on('close', () => {
      for (const done of this.#waiting.splice(0)) done();
      for (const stream of this.#streams.values()) stream.receiveReset();
    });
  }

  /**
   * Serves the client until it leaves, or `close()` is called. All streams are gone then.
   *
   * @throws {Fault} invalid_argument — the client does not keep to the protocol
   */
  async run(): Promise<void> {
    const parser = new FrameParser();
    using headers = new HeaderReader();
    try {
      for await (const chunk of this.#transport as AsyncIterable<Buffer>) {
        if (this.#closing) continue; // it has no more to say that matters
        share(chunk);
        for (const received of parser.parse(chunk)) await this.#receive(received, headers);
        release(chunk);
      }
    } catch (error) {
      if (error instanceof Fault) throw error; // all else is the transport's: the client left
    } finally {
      this.#transport.destroy();
    }
  }

  /**
   * Says goodbye, and waits until the client has gone too. Reading goes on meanwhile: closing a socket with
   * unread data would take from the client what it has not read yet.
   */
  async close(): Promise<void> {
    if (this.#closing || this.#transport.destroyed) return;
    this.#closing = true;
    for (const stream of this.#streams.values()) stream.resume();
    this.#transport.end(frame.goAway(this.#lastStreamId));
    const closed = new Promise<void>((resolve) => this.#transport.once('close', resolve));
    await within(LINGER_MS, closed);
    this.#transport.destroy();
  }

  sendData(streamId: number, chunk: Buffer, done: () => void): void {
    const onSent = () => {
      done(); // that the client has left shows in 'close'
    };
    if (!this.#transport.writable || chunk.length === 0) {
      done();
      return;
    }
    if (this.#transport.writableNeedDrain) {
      this.#waiting.push(() => {
        this.sendData(streamId, chunk, done);
      });
      return;
    }
    this.#transport.cork();
    for (let at = 0; at < chunk.length; at += frame.MAX_DATA_BYTES) {
      const part = chunk.subarray(at, at + frame.MAX_DATA_BYTES);
      this.#transport.write(frame.dataHeader(streamId, part.length, 0));
      const isLast = at + part.length === chunk.length;
      this.#transport.write(part, isLast ? onSent : undefined);
    }
    this.#transport.uncork();
  }

  sendFin(streamId: number): void {
    this.#send(frame.dataHeader(streamId, 0, frame.FLAG_FIN));
  }

  forget(streamId: number, { reset }: { readonly reset: boolean }): void {
    if (this.#streams.delete(streamId) && reset) {
      this.#send(frame.reset(streamId, frame.RESET_STATUS.cancel));
    }
  }

  #send(bytes: Buffer): void {
    if (this.#transport.writable) this.#transport.write(bytes);
  }

  /** An answer to the client, which waits with the next until this one is taken: so a flood costs no memory. */
  async #answer(bytes: Buffer): Promise<void> {
    this.#send(bytes);
    await new Promise<void>((resolve) => {
      this.#whenWritable(resolve);
    });
  }

  #whenWritable(done: () => void): void {
    if (this.#transport.writable && this.#transport.writableNeedDrain) this.#waiting.push(done);
    else done();
  }

  /** One after the other, as long as there is room. */
  #drain(): void {
    while (!this.#transport.writableNeedDrain) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }

  async #receive(received: Frame, headers: HeaderReader): Promise<void> {
    switch (received.kind) {
      case 'data':
        await this.#receiveData(received);
        return;
      case 'synStream':
        await this.#open(received, await headers.read(received.headers));
        return;
      case 'headers':
        await headers.read(received.headers); // nobody sends any that matter
        await this.#receiveData({ ...received, kind: 'data', payload: Buffer.alloc(0) });
        return;
      case 'reset':
        this.#streams.get(received.streamId)?.receiveReset();
        return;
      case 'ping':
        await this.#receivePing(received.id);
        return;
      case 'goAway':
      case 'ignored':
        return;
    }
  }

  /** Even numbers are answers to pings of ours, of which there are none. */
  async #receivePing(id: number): Promise<void> {
    if (id % 2 === 1) await this.#answer(frame.ping(id));
  }

  async #receiveData({ streamId, payload, fin }: Extract<Frame, { kind: 'data' }>): Promise<void> {
    if (streamId > this.#lastStreamId) throw new Fault('invalid_argument', `there is no stream ${streamId}`);
    const stream = this.#streams.get(streamId);
    if (stream === undefined) return; // it was reset while this was on its way
    if (payload.length > 0) await stream.receive(payload);
    if (fin) stream.receiveFin();
  }

  async #open(opened: Extract<Frame, { kind: 'synStream' }>, headers: Headers): Promise<void> {
    const { streamId, fin, unidirectional } = opened;
    if (streamId % 2 === 0 || streamId <= this.#lastStreamId) {
      throw new Fault('invalid_argument', `a client cannot open stream ${streamId}`);
    }
    this.#lastStreamId = streamId;
    if (unidirectional || this.#streams.size >= this.#options.maxStreams) {
      await this.#answer(frame.reset(streamId, frame.RESET_STATUS.refused));
      return;
    }
    const stream = new SpdyStream(streamId, headers, this);
    this.#streams.set(streamId, stream);
    await this.#answer(frame.synReply(streamId, { first: !this.#hasReplied }));
    this.#hasReplied = true;
    this.#options.onStream(stream);
    if (fin) stream.receiveFin();
  }
}
