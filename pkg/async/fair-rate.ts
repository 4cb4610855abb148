// So many bytes per second for all together, shared among parties: each gets as much as the others, however many
// streams it has. Start-time fair queueing, by Goyal, Vin and Cheng (1996).

import { abortable } from './abortable.ts';
import type { Parties, Party } from './fair-slots.ts';

/** What an urgent party gets for each byte of another. */
const URGENT_WEIGHT = 4;
/** A pause may be made up for by so much at once. */
const BURST_MS = 100;

interface Request {
  readonly bytes: number;
  /** Virtual time, in bytes: the least is next. */
  readonly start: number;
  readonly grant: () => void;
}

export class FairRate {
  readonly #bytesPerSecond: number;
  readonly #waiting = new Set<Request>();
  /** Where each party's next request begins. */
  readonly #nextStart = new WeakMap<Party, number>();
  /** Of the request that was granted last. */
  #virtualTime = 0;
  /** When all that was granted has had its time, by `performance.now()`. */
  #busyUntilMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = bytesPerSecond;
  }

  /** Hands on what comes, each piece when it is its turn. Each is good until the next is asked for. */
  async *limit(chunks: AsyncIterable<Buffer>, parties: Parties, signal: AbortSignal): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      await this.#take(chunk.length, parties, signal);
      yield chunk;
    }
  }

  async #take(bytes: number, parties: Parties, signal: AbortSignal): Promise<void> {
    const { promise: granted, resolve } = Promise.withResolvers<undefined>();
    const grant = () => {
      resolve(undefined);
    };
    const request: Request = { bytes, start: this.#enter(bytes, [...parties()]), grant };
    this.#waiting.add(request);
    this.#serve();
    try {
      await abortable(granted, signal);
    } finally {
      this.#waiting.delete(request);
    }
  }

  /** @returns the start of the request; it is put down to all who want it */
  #enter(bytes: number, parties: readonly Party[]): number {
    const starts = parties.map((party) => Math.max(this.#virtualTime, this.#nextStart.get(party) ?? 0));
    const start = parties.length === 0 ? this.#virtualTime : Math.min(...starts);
    for (const [index, party] of parties.entries()) {
      const cost = party.isUrgent ? bytes / URGENT_WEIGHT : bytes;
      this.#nextStart.set(party, (starts[index] ?? start) + cost);
    }
    return start;
  }

  #serve(): void {
    if (this.#timer !== undefined) return;
    for (let next = this.#first(); next !== undefined; next = this.#first()) {
      const nowMs = performance.now();
      if (this.#busyUntilMs > nowMs) {
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          this.#serve();
        }, this.#busyUntilMs - nowMs);
        return;
      }
      this.#waiting.delete(next);
      this.#virtualTime = next.start;
      this.#busyUntilMs =
        Math.max(this.#busyUntilMs, nowMs - BURST_MS) + (next.bytes * 1000) / this.#bytesPerSecond;
      next.grant();
    }
  }

  #first(): Request | undefined {
    let first: Request | undefined;
    for (const request of this.#waiting)
      if (first === undefined || request.start < first.start) first = request;
    return first;
  }
}
