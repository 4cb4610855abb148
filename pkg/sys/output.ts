// Reading what a program writes: all of it, so that it never waits for us, and keeping no more than a bound.

import type { Readable } from 'node:stream';

/** Reads a stream to its end, so that its writer never waits, and keeps the first `limitBytes` of it. */
export class Output {
  readonly ended: Promise<void>;
  readonly #chunks: Buffer[] = [];
  #room: number;

  constructor(stream: Readable | undefined, limitBytes: number) {
    this.#room = limitBytes;
    this.ended = new Promise((resolve) => {
      if (stream === undefined || stream.closed) {
        resolve(); // an empty one may have ended before anybody listened
        return;
      }
      stream.on('data', (chunk: Buffer) => {
        this.#keep(chunk);
      });
      stream.on('error', () => undefined); // what was read until then counts; 'close' follows
      stream.on('close', () => {
        resolve();
      });
    });
  }

  /** What has been kept so far. */
  bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  #keep(chunk: Buffer): void {
    const kept = chunk.subarray(0, this.#room);
    this.#room -= kept.length;
    if (kept.length > 0) this.#chunks.push(kept);
  }
}

/** Waits for the end of the outputs, but not for ever: what the program started may hold on to its pipes. */
export async function drain(outputs: readonly Output[], timeoutMs: number): Promise<void> {
  const gaveUp = Promise.withResolvers<undefined>();
  const timer = setTimeout(gaveUp.resolve, timeoutMs, undefined);
  await Promise.race([Promise.all(outputs.map(({ ended }) => ended)), gaveUp.promise]);
  clearTimeout(timer);
}
