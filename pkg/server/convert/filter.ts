// What the lists have in common: all conditions of a filter must hold, and an empty one does.

/** Whether `labels` has every label of `selector`, with the same value. */
export function matchesLabels(
  labels: Readonly<Record<string, string>>,
  selector: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** Whether `id` is the one asked for; people type the beginning of one. */
export function matchesId(id: string, wanted: string): boolean {
  return id.startsWith(wanted);
}

/** Items for one message of a stream: far from every limit on the size of messages. */
const BATCH_SIZE = 256;

/** @returns no batch at all for no items */
export function* inBatches<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < items.length; at += BATCH_SIZE) yield items.slice(at, at + BATCH_SIZE);
}
