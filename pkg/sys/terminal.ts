// The master's side of a terminal, as a stream: what programs print comes out, what is typed goes in.

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { duplexFd } from './duplex-fd.ts';
import { isErrno } from './errno.ts';
import { setWindowSize } from './libc/terminal.ts';

const READ_BYTES = 64 * 1024;

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export class Terminal extends Duplex {
  readonly #fd: number;
  readonly #socket: Socket;

  /** @param masterFd which the stream owns from now on */
  constructor(masterFd: number) {
    super({ allowHalfOpen: true });
    this.#fd = masterFd;
    // The socket must not buffer: the kernel tells that the other side is closed by an error, upon which a
    // stream drops its buffer.
    const callback = (bytes: number, buffer: Uint8Array): boolean =>
      this.push(Buffer.from(buffer.subarray(0, bytes)));
    this.#socket = duplexFd(masterFd, { buffer: Buffer.allocUnsafe(READ_BYTES), callback });
    this.#socket.on('error', (error) => {
      if (isErrno(error, 'EIO')) this.push(null);
      else this.destroy(error);
    });
    this.#socket.on('end', () => this.push(null));
  }

  /** What was typed so far stays; once the stream is destroyed nothing happens. */
  resize({ rows, columns }: TerminalSize): void {
    if (!this.#socket.destroyed) setWindowSize(this.#fd, rows, columns);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  /** A terminal has no end of input; it has a character that stands for one. Source: termios(3), VEOF. */
  override _final(done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.of(CONTROL_D), () => {
      done();
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

const CONTROL_D = 4;
