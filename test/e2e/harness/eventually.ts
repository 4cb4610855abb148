// Waiting in tests: for a condition, with a deadline, never for a time.

import { setTimeout as delay } from 'node:timers/promises';
import { patience } from './patience.ts';

const INTERVAL_MS = 20;

/**
 * Asks `probe` until it returns something other than `undefined` or `false`, and returns that.
 *
 * @param what for the error: `the container ends`
 * @param timeoutMs on an ordinary machine
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + patience(timeoutMs);
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not within ${patience(timeoutMs)} ms: ${what}`);
    await delay(INTERVAL_MS);
  }
}
