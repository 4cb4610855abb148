// Giving memory back by hand. Left to the garbage collector, it would have to run every few dozen chunks of a
// stream, at a third of what the stream costs.

/** Less may be a part of memory that others use too, and is not worth it. */
const MIN_BYTES = 16 * 1024;

/** How many still use the memory of a chunk that was taken apart. */
const holders = new WeakMap<ArrayBufferLike, number>();

/**
 * The chunk will be taken apart: its memory is given back when it was released, and all of its parts that were
 * held.
 *
 * @param chunk which nobody else has, not even its memory by way of another buffer
 */
export function share(chunk: Buffer): void {
  if (isReleasable(chunk)) holders.set(chunk.buffer, 1);
}

/** @param part of a chunk, whose holder will release it, or forget it */
export function hold(part: Buffer): void {
  const count = holders.get(part.buffer);
  if (count !== undefined) holders.set(part.buffer, count + 1);
}

/** @param chunk which its holder will not look at again; one that was not shared must be nobody else's */
export function release(chunk: Buffer): void {
  const { buffer } = chunk;
  const count = holders.get(buffer);
  if (count !== undefined && count > 1) holders.set(buffer, count - 1);
  else if (buffer instanceof ArrayBuffer && (count === 1 || isReleasable(chunk))) buffer.transfer(0);
}

function isReleasable({ buffer, byteLength }: Buffer): boolean {
  return byteLength >= MIN_BYTES && byteLength === buffer.byteLength;
}
