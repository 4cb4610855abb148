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
export const ITEMS_PER_MESSAGE = 256;

/** Usages that are put into words in one go: a few milliseconds. */
export const USAGES_PER_PART = 32;
