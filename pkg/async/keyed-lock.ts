// One queue per key. Held around a change and the bounded tool call that makes it, never around an
// open-ended wait: a grace period, a pull, an exec.

import type { Call } from '../base/call.ts';
import { stage } from '../base/timeline.ts';
import { abortable } from './abortable.ts';

/**
 * Mutual exclusion per key, first come first served.
 *
 * Order, when two are needed: sandbox before container before image. Taking them in any
 * other order can deadlock, and nothing here detects it.
 */
export class KeyedLock<Key> {
  readonly #tails = new Map<Key, Promise<void>>();

  /** Keys held or waited for; for the metrics and for leak checks in tests. */
  get size(): number {
    return this.#tails.size;
  }

  /** As `acquire()`; that it has to wait is a stage of the call. */
  async acquireFor(key: Key, call: Pick<Call, 'signal' | 'timeline'>): Promise<Disposable> {
    if (!this.#tails.has(key)) return await this.acquire(key, call.signal);
    using _stage = stage(call, `wait for ${String(key).slice(0, 12)}`);
    return await this.acquire(key, call.signal);
  }

  /** Whether somebody holds `key`, or waits for it. */
  isHeld(key: Key): boolean {
    return this.#tails.has(key);
  }

  /**
   * Waits for `key` and returns its guard; the lock is free again once the guard is disposed.
   *
   * @throws the signal's reason, if it aborts first; the place in the queue is then given up
   */
  async acquire(key: Key, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const ahead = this.#tails.get(key) ?? Promise.resolve();
    let open: () => void = () => undefined;
    const mine = new Promise<void>((resolve) => (open = resolve));
    const tail = ahead.then(() => mine);
    this.#tails.set(key, tail);
    const release = () => {
      open();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
    try {
      await abortable(ahead, signal);
    } catch (reason) {
      // Not `release`: others may already queue behind us, and `ahead` still runs.
      open();
      void tail.then(() => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key);
      });
      throw reason;
    }
    return { [Symbol.dispose]: release };
  }
}
