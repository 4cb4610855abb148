// The clock of the daemon.

/**
 * Nanoseconds since the Unix epoch, to the millisecond. Not `performance.now()`, which does not follow when the
 * node's clock is set: a container would seem to have ended before it began.
 */
export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
