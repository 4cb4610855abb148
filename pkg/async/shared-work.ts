// Single flights of calls: who joins sees the stages of the work as stages of its own, so that the last who waits can
// still be told where it hangs; and that it waits for another is a stage around them.

import type { Call } from '../base/call.ts';
import { SharedStages } from '../base/shared-stages.ts';
import { stage } from '../base/timeline.ts';
import { SingleFlight } from './single-flight.ts';

export class SharedWork<Key, T> {
  readonly #flights = new SingleFlight<Key, T>();
  readonly #stages = new Map<Key, SharedStages>();
  /** The stage of who joins. */
  readonly waiting: string;

  /** @param what is shared: `pull of this image` */
  constructor(what: string) {
    this.waiting = `wait for another ${what}`;
  }

  /** Whether who asks now joins work that another began. */
  has(key: Key): boolean {
    return this.#flights.has(key);
  }

  /**
   * As `SingleFlight.do()`.
   *
   * @param work is given a call of its own, which is given up when nobody waits any more
   */
  async do(key: Key, call: Call, work: (call: Call) => Promise<T>): Promise<T> {
    const joined = this.#flights.has(key) ? this.#stages.get(key) : undefined;
    const stages = joined ?? new SharedStages();
    this.#stages.set(key, stages);
    using following = new DisposableStack();
    if (joined !== undefined) following.use(stage(call, this.waiting));
    if (call.timeline !== undefined) following.use(stages.follow(call.timeline));
    try {
      return await this.#flights.do(key, call.signal, (signal) =>
        work({ ...call, signal, timeline: stages }),
      );
    } finally {
      if (!this.#flights.has(key) && this.#stages.get(key) === stages) this.#stages.delete(key);
    }
  }
}
