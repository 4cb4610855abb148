// Levels that keep pods apart: each has two categories that no other pod of this node has. Which are taken is known
// from the records; those of pods whose first record is being written are remembered meanwhile.

import { randomInt } from 'node:crypto';
import { Fault } from '../../base/fault.ts';

/** Of all policies with levels. */
const CATEGORIES = 1024;
/** The last two are for files that no confined container may use. Source: opencontainers/selinux. */
const USABLE_CATEGORIES = CATEGORIES - 2;
/** There are half a million levels: this many are not taken by chance. */
const MAX_TRIES = 10_000;

export interface LevelClaim extends Disposable {
  /** `s0:c12,c345` */
  readonly level: string;
}

export class Levels {
  readonly #claimed = new Set<string>();
  readonly #random: (below: number) => number;

  constructor(random: (below: number) => number = randomInt) {
    this.#random = random;
  }

  /**
   * A level for a new pod. The claim is disposed of when the pod's record is written, or will not be.
   *
   * @param taken by the pods of the records
   * @throws {Fault} resource_exhausted — none was found
   */
  claim(taken: ReadonlySet<string>): LevelClaim {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const level = this.#invent();
      if (level === undefined || taken.has(level) || this.#claimed.has(level)) continue;
      this.#claimed.add(level);
      return {
        level,
        [Symbol.dispose]: () => {
          this.#claimed.delete(level);
        },
      };
    }
    throw new Fault('resource_exhausted', 'no SELinux level is left for another pod');
  }

  #invent(): string | undefined {
    const [a, b] = [this.#random(USABLE_CATEGORIES), this.#random(USABLE_CATEGORIES)];
    return a === b ? undefined : `s0:c${Math.min(a, b)},c${Math.max(a, b)}`;
  }
}
