// At most so many at a time, first come first served.

import { abortable } from './abortable.ts';

export class Semaphore {
  #free: number;
  readonly #queue: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** Waiting now. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** @throws the reason of `signal`, if it aborts before there is a free slot */
  async acquire(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return this.#slot();
    }
    let admit: () => void = () => undefined;
    const admitted = new Promise<void>((resolve) => (admit = resolve));
    this.#queue.push(admit);
    try {
      await abortable(admitted, signal);
    } catch (reason) {
      const place = this.#queue.indexOf(admit);
      if (place >= 0) this.#queue.splice(place, 1);
      else this.#release(); // admitted and aborted in the same moment
      throw reason;
    }
    return this.#slot();
  }

  #slot(): Disposable {
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#release();
        held = false;
      },
    };
  }

  #release(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
