// Notices a host that answers and then crawls. Only time spent waiting for it counts: one that is faster than we
// unpack has all the time in the world.

import type { Readable } from 'node:stream';
import { piecesOf } from './body-pieces.ts';

/** The least that must come. */
export interface MinRate {
  readonly bytesPerSecond: number;
  /** Over so much waiting is it measured. Milliseconds. */
  readonly windowMs: number;
}

/** Less than the least has come. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

export class RateGuard {
  readonly #least: MinRate;
  /** Of the window that is open now. */
  #waitedMs = 0;
  #bytes = 0;

  constructor(least: MinRate) {
    this.#least = least;
  }

  /**
   * Hands on what comes. Several bodies may be watched one after the other, and count together.
   *
   * @throws {TooSlow} with the rate; and what the body throws
   */
  async *watch(body: Readable): AsyncGenerator<Buffer> {
    const iterator = piecesOf(body);
    try {
      for (;;) {
        const next = await this.#wait(body, iterator);
        if (next.done === true) return;
        this.#bytes += next.value.length;
        yield next.value;
      }
    } finally {
      body.destroy();
    }
  }

  async #wait(body: Readable, iterator: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
    let since = performance.now();
    const closeWindow = (): void => {
      if (this.#bytes < this.#leastBytes) {
        body.destroy(new TooSlow(`gives less than ${this.#least.bytesPerSecond} bytes per second`));
        return;
      }
      this.#bytes = 0;
      this.#waitedMs = 0;
      since = performance.now();
      timer = setTimeout(closeWindow, this.#least.windowMs);
    };
    let timer = setTimeout(closeWindow, Math.max(0, this.#least.windowMs - this.#waitedMs));
    try {
      return await iterator.next();
    } finally {
      clearTimeout(timer);
      this.#waitedMs += performance.now() - since;
    }
  }

  get #leastBytes(): number {
    return (this.#least.bytesPerSecond * this.#least.windowMs) / 1000;
  }
}
