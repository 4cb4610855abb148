// The two clocks. What passes is measured by the one that nobody sets; the time of day jumps, and is for records and
// for whoever reads it.

/**
 * Milliseconds since the Unix epoch, with fractions, as it was when the process began: it goes on evenly from then on.
 * Two of them may be subtracted.
 */
export function steadyMs(): number {
  return performance.timeOrigin + performance.now();
}

/** Milliseconds since the Unix epoch, as the node's clock has it now. */
export function timeOfDayMs(): number {
  return Date.now();
}

/** The same in nanoseconds, to the millisecond, as the CRI has all times. */
export function timeOfDayNs(): bigint {
  return BigInt(timeOfDayMs()) * 1_000_000n;
}
