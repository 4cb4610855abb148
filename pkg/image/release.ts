// Memory behind buffers, given back at once. The collector sees small objects alone, and would let hundreds of
// megabytes pile up behind them while a layer goes through.

/** Frees the memory of a buffer that nobody will use again, if it has that memory for itself. */
export function release({ buffer, byteOffset, length }: Uint8Array): void {
  if (byteOffset === 0 && length === buffer.byteLength) freeMemory(buffer);
}

/** Every view of it has the length 0 from now on. */
export function freeMemory(memory: ArrayBufferLike): void {
  if (memory instanceof ArrayBuffer) memory.transfer(0);
}
