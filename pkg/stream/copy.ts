// Copying between streams, each only as fast as the other.

import type { Readable, Writable } from 'node:stream';
import { release } from './release.ts';

/** What a client sends, until either side ends. What nobody takes any more is read and thrown away. */
export function feed(source: Readable, target: Writable): void {
  carry(source, target);
  target.on('error', () => undefined); // 'close' follows
  source.on('close', () => {
    target.end(); // also when it was cut off: no more will come
  });
}

/**
 * As `source.pipe(target)`, but what comes at once is written at once, and its memory given back. When the target
 * is closed the rest is thrown away. The chunks of the source must be its own, or held for it.
 */
export function carry(source: Readable, target: Writable): void {
  let isGathering = false;
  source.on('data', (chunk: Buffer) => {
    if (!target.writable) return;
    if (!isGathering) {
      isGathering = true;
      target.cork();
      process.nextTick(() => {
        isGathering = false;
        target.uncork();
      });
    }
    const isRoom = target.write(chunk, () => {
      release(chunk);
    });
    if (!isRoom) source.pause();
  });
  const resume = () => source.resume();
  target.on('drain', resume).on('close', resume);
  source.on('end', () => {
    target.end();
  });
}

/** How long to read on after a command's end, when nothing more comes but something keeps its output open. */
const DRAIN_IDLE_MS = 1000;

/** What a command prints, on its way to the client. The chunks of its source must be nobody else's. */
export class Output {
  /** When all is with the client, or one of the two has gone. It never rejects. */
  readonly done: Promise<void>;
  readonly #source: Readable;
  #bytes = 0;
  #waitsForClient = false;

  constructor(source: Readable, target: Writable) {
    this.#source = source;
    source.on('error', () => undefined); // what was read until then counts
    this.done = this.#copy(target);
  }

  /**
   * After the command's end: waits for the rest of its output, but not for children that it has left behind,
   * unless they print.
   */
  async drain(): Promise<void> {
    let before = -1;
    const check = setInterval(() => {
      if (!this.#waitsForClient && this.#bytes === before) this.#source.destroy();
      before = this.#bytes;
    }, DRAIN_IDLE_MS);
    try {
      await this.done;
    } finally {
      clearInterval(check);
    }
  }

  async #copy(target: Writable): Promise<void> {
    const source = this.#source;
    const over = Promise.withResolvers<undefined>();
    const end = () => {
      over.resolve(undefined);
    };
    const stop = () => {
      source.destroy(); // the command learns that nobody listens
      end();
    };
    source.on('data', (chunk: Buffer) => {
      this.#pass(chunk, target);
    });
    source.on('end', end).on('close', end);
    target.on('close', stop).on('drain', () => {
      this.#waitsForClient = false;
      source.resume();
    });
    if (target.destroyed) stop();
    if (source.destroyed || source.readableEnded) end();
    await over.promise;
    target.off('close', stop);
    await ended(target);
  }

  #pass(chunk: Buffer, target: Writable): void {
    this.#bytes += chunk.length;
    if (!target.writable) return;
    const isRoom = target.write(chunk, () => {
      release(chunk);
    });
    if (isRoom) return;
    this.#waitsForClient = true;
    this.#source.pause();
  }
}

/** Ends it, and waits until all is out or it is destroyed. */
export async function ended(target: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    if (target.destroyed || target.writableFinished) {
      resolve();
      return;
    }
    target.once('close', resolve);
    target.end(() => {
      target.off('close', resolve);
      resolve();
    });
  });
}
