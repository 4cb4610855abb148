// Waiting for a client, but not for ever.

/** Waits until `promise` is settled, or the time is up. */
export async function within(timeoutMs: number, promise: Promise<unknown>): Promise<void> {
  const timeUp = Promise.withResolvers<undefined>();
  const timer = setTimeout(timeUp.resolve, timeoutMs, undefined);
  await Promise.race([promise.catch(() => undefined), timeUp.promise]);
  clearTimeout(timer);
}

/** How long a client may take to read the last of it and to close its side, after we have said goodbye. */
export const LINGER_MS = 10_000;
