// Chance that can be repeated: the same seed gives the same decisions.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, but not with, 1. Source: mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  integer(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }
}

/**
 * The same in every run, for the same commit to pass or to fail every time; `random` in the environment looks for
 * what nobody has seen yet, and a number repeats what it found.
 */
export function seedOf(variable: string): number {
  const given = process.env[variable] ?? '1';
  return given === 'random' ? Date.now() % 2 ** 31 : Number(given);
}
