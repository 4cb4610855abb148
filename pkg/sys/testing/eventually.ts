// Waiting in tests: for a condition, with a deadline, never for a time.

import { setTimeout as delay } from 'node:timers/promises';

/** Waits until `probe` returns something other than `undefined` or `false`, and returns that. */
export async function eventually<T>(probe: () => T | undefined | false, timeoutMs = 20_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${probe.toString()}`);
    await delay(5);
  }
}
