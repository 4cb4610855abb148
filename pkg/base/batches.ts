// Long lists in pieces, where nobody may be kept waiting for the whole.

/** @returns pieces of `size` items, the last with what is left; none at all for no items */
export function* inBatches<T>(items: readonly T[], size: number): Generator<readonly T[], undefined> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}
