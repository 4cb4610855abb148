// One piece of work at a time per key: who asks while it goes on gets the same result.

import { abortable } from './abortable.ts';

interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Joins equal work. The work is aborted only when every caller that waits for it has left, so one
 * cancelled caller does not cost the others their result.
 */
export class SingleFlight<Key, T> {
  readonly #flights = new Map<Key, Flight<T>>();

  /** Keys under way. */
  get size(): number {
    return this.#flights.size;
  }

  /** Whether who asks now joins work that another began. */
  has(key: Key): boolean {
    return this.#flights.has(key);
  }

  /**
   * @param work is given a signal that aborts when nobody waits any more
   * @throws what `work` throws; the reason of `signal`, if that aborts first
   */
  async do(key: Key, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    flight.waiting += 1;
    try {
      return await abortable(flight.result, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) this.#giveUp(key, flight, signal.reason);
    }
  }

  /** Forgotten at once, so that who comes next begins anew instead of joining what is being aborted. */
  #giveUp(key: Key, flight: Flight<T>, reason: unknown): void {
    if (this.#flights.get(key) !== flight) return; // it has finished
    this.#flights.delete(key);
    flight.controller.abort(reason);
  }

  #begin(key: Key, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { result: work(controller.signal), controller, waiting: 0 };
    const forget = () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    };
    flight.result.then(forget, forget); // every caller may have left: its failure is then nobody's
    this.#flights.set(key, flight);
    return flight;
  }
}
