// An answer in parts, as who asked gets it.

/** All that a list in parts has. */
export async function allOf<T>(
  parts: AsyncIterable<{ readonly stats?: readonly T[] | undefined }>,
): Promise<T[]> {
  return (await Array.fromAsync(parts)).flatMap(({ stats = [] }) => stats);
}
