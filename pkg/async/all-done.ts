// Several side effects at the same time: when one fails the others are not left going on behind the back of who
// undoes them, as with `Promise.all()`.

/** Waits until all have ended, whichever way. @throws what the first of them threw, in their order */
export async function allDone<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works);
  return await Promise.all(works);
}
