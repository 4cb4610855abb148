// How fast bytes come, over the last seconds.

const SLOT_MS = 500;
const SLOTS = 10;

/** Times are milliseconds of any clock that only goes forward. */
export class RateMeter {
  /** By number of the slot; of the last seconds only. */
  readonly #slots = new Map<number, number>();
  #startedMs: number | undefined;

  add(bytes: number, nowMs: number): void {
    this.#startedMs ??= nowMs;
    const slot = Math.floor(nowMs / SLOT_MS);
    this.#slots.set(slot, (this.#slots.get(slot) ?? 0) + bytes);
    for (const old of this.#slots.keys()) if (old <= slot - SLOTS) this.#slots.delete(old);
  }

  bytesPerSecond(nowMs: number): number {
    if (this.#startedMs === undefined) return 0;
    const first = Math.floor(nowMs / SLOT_MS) - SLOTS + 1;
    let bytes = 0;
    for (const [slot, count] of this.#slots) if (slot >= first) bytes += count;
    const sinceMs = Math.max(this.#startedMs, first * SLOT_MS);
    return (bytes * 1000) / Math.max(SLOT_MS, nowMs - sinceMs);
  }
}
