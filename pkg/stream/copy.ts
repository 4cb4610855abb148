// Copying between streams, each only as fast as the other.

import type { Readable, Writable } from 'node:stream';
import { release } from './release.ts';

/** What a client sends, until either side ends. What nobody takes any more is read and thrown away. */
export function feed(source: Readable, target: Writable): void {
  source.pipe(target);
  target.on('error', () => undefined); // 'close' follows
  target.on('close', () => {
    source.unpipe(target);
    source.resume();
  });
  source.on('close', () => {
    target.end(); // also when it was cut off: no more will come
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
    try {
      const chunks = this.#source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      for await (const chunk of chunks) {
        this.#bytes += chunk.length;
        if (target.destroyed) break;
        const isRoom = target.write(chunk, () => {
          release(chunk);
        });
        if (isRoom) continue;
        this.#waitsForClient = true;
        await roomIn(target);
        this.#waitsForClient = false;
      }
    } catch {
      // the source was destroyed, by drain() or with the command
    }
    if (target.destroyed) this.#source.destroy(); // the command learns that nobody listens
    await ended(target);
  }
}

async function roomIn(target: Writable): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      target.off('drain', done);
      target.off('close', done);
      resolve();
    };
    target.on('drain', done);
    target.on('close', done);
    if (target.destroyed) done();
  });
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
