// Giving memory back by hand. Left to the garbage collector, it would have to run every few dozen chunks of a
// stream, at a third of what the stream costs.

/** Less may be a part of memory that is shared, and is not worth it. */
const MIN_BYTES = 16 * 1024;

/** @param chunk which nobody else has or will look at again, not even its memory by way of another buffer */
export function release({ buffer, byteLength }: Buffer): void {
  if (byteLength >= MIN_BYTES && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) {
    buffer.transfer(0);
  }
}
