// At most so many at a time, shared among parties: who has fewest is next, and one that has none is not kept waiting
// by another that has taken all.

import { abortable } from './abortable.ts';

/** Whoever wants work done, and perhaps much of it. */
export interface Party {
  /** Goes before others. */
  readonly isUrgent: boolean;
}

/** Those who want a piece of work now; they may change while it waits and while it goes on. */
export type Parties = () => Iterable<Party>;

interface Ticket {
  readonly parties: Parties;
  readonly admit: () => void;
}

export class FairSlots {
  readonly #slots: number;
  readonly #running = new Set<Ticket>();
  /** In the order in which they came. */
  readonly #waiting = new Set<Ticket>();

  /** @param slots for all; parties without any may have as many again, one each */
  constructor(slots: number) {
    this.#slots = slots;
  }

  /** Pieces of work that wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @throws the reason of `signal`, if it aborts before it is this one's turn */
  async acquire(parties: Parties, signal: AbortSignal): Promise<Disposable> {
    signal.throwIfAborted();
    const { promise: admitted, resolve } = Promise.withResolvers<undefined>();
    const admit = () => {
      resolve(undefined);
    };
    const ticket: Ticket = { parties, admit };
    this.#waiting.add(ticket);
    this.reconsider();
    try {
      await abortable(admitted, signal);
    } catch (reason) {
      this.#forget(ticket); // it may have been admitted in the same moment
      throw reason;
    }
    return {
      [Symbol.dispose]: () => {
        this.#forget(ticket);
      },
    };
  }

  /** Lets in who may go on. To be called when parties have changed. */
  reconsider(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#waiting.delete(next);
      this.#running.add(next);
      next.admit();
    }
  }

  #forget(ticket: Ticket): void {
    this.#waiting.delete(ticket);
    if (this.#running.delete(ticket)) this.reconsider();
  }

  #next(): Ticket | undefined {
    const { size } = this.#running;
    if (this.#waiting.size === 0 || size >= 2 * this.#slots) return undefined;
    const held = this.#held();
    let best:
      { readonly ticket: Ticket; readonly rank: readonly [notUrgent: number, held: number] } | undefined;
    for (const ticket of this.#waiting) {
      const parties = [...ticket.parties()];
      const least = Math.min(...parties.map((party) => held.get(party) ?? 0));
      const rank = [parties.some(({ isUrgent }) => isUrgent) ? 0 : 1, least] as const;
      if (size >= this.#slots && least !== 0) continue;
      if (best === undefined || isBefore(rank, best.rank)) best = { ticket, rank };
    }
    return best?.ticket;
  }

  #held(): Map<Party, number> {
    const held = new Map<Party, number>();
    for (const { parties } of this.#running) {
      for (const party of parties()) held.set(party, (held.get(party) ?? 0) + 1);
    }
    return held;
  }
}

function isBefore(a: readonly [number, number], b: readonly [number, number]): boolean {
  return a[0] === b[0] ? a[1] < b[1] : a[0] < b[0];
}
