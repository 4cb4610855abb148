// Who needs which layers now, although no image may have them yet: they are kept, and worked on in the name of all
// who need them.

import type { Party } from '../async/fair-slots.ts';
import type { Digest } from './digest.ts';

export class LayerLeases {
  readonly #holders = new Map<Digest, Set<Party>>();

  /** Keeps the layers, also those that are yet to come, until the result is disposed. */
  hold(chainIds: readonly Digest[], party: Party): Disposable {
    for (const id of chainIds) this.#holders.set(id, (this.#holders.get(id) ?? new Set()).add(party));
    return {
      [Symbol.dispose]: () => {
        for (const id of chainIds) this.#release(id, party);
      },
    };
  }

  has(chainId: Digest): boolean {
    return this.#holders.has(chainId);
  }

  holdersOf(chainId: Digest): Iterable<Party> {
    return this.#holders.get(chainId) ?? [];
  }

  #release(id: Digest, party: Party): void {
    const holders = this.#holders.get(id);
    holders?.delete(party);
    if (holders?.size === 0) this.#holders.delete(id);
  }
}
