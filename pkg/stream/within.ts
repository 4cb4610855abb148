// Waiting for a client, but not for ever.

import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `promise` is settled, or the time is up. */
export async function within(timeoutMs: number, promise: Promise<unknown>): Promise<void> {
  const enough = new AbortController();
  const timeUp = delay(timeoutMs, undefined, { signal: enough.signal }).catch(() => undefined);
  await Promise.race([promise.catch(() => undefined), timeUp]);
  enough.abort();
}

/** How long a client may take to read the last of it and to close its side, after we have said goodbye. */
export const LINGER_MS = 10_000;
