// A clock that only ever goes on: nobody sets it, and it is the same for every process until the next boot.

/** Milliseconds since some moment of the boot. Source: CLOCK_MONOTONIC in clock_gettime(2). */
export function uptimeMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
