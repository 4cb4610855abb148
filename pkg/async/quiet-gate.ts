// Work that may go on together, and work that must be alone. Who wants to be alone waits for a quiet moment and keeps
// nobody out until it comes.

import { abortable } from './abortable.ts';

export class QuietGate {
  #together = 0;
  /** Settles when the one who is alone has gone. */
  #alone: Promise<void> | undefined;
  /** Those who wait for a quiet moment, in their order. */
  readonly #waiting = new Set<() => void>();

  /** Whether somebody is alone. */
  get isTaken(): boolean {
    return this.#alone !== undefined;
  }

  /** Waits while somebody is alone. @throws the reason of `signal`, if it aborts first */
  async together(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    while (this.#alone !== undefined) await abortable(this.#alone, signal);
    this.#together += 1;
    return {
      [Symbol.dispose]: () => {
        this.#together -= 1;
        this.#tellNext();
      },
    };
  }

  /** Waits until nobody is here. @throws the reason of `signal`, if it aborts first */
  async alone(signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    while (this.#together > 0 || this.#alone !== undefined) await this.#quiet(signal);
    const gone = Promise.withResolvers<undefined>();
    this.#alone = gone.promise.then(() => undefined);
    return {
      [Symbol.dispose]: () => {
        this.#alone = undefined;
        gone.resolve(undefined);
        this.#tellNext();
      },
    };
  }

  async #quiet(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const tell = () => {
      resolve(undefined);
    };
    this.#waiting.add(tell);
    try {
      await abortable(promise, signal);
    } finally {
      this.#waiting.delete(tell);
    }
  }

  /** Each looks again for itself: whoever came in between is waited for as well. */
  #tellNext(): void {
    if (this.#together > 0 || this.#alone !== undefined) return;
    for (const tell of this.#waiting) tell();
  }
}
