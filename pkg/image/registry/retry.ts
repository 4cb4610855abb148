// Asking a host again for what it could not give just now.

import { setTimeout as delay } from 'node:timers/promises';
import { HostFailure } from './failure.ts';

/** So often is a request repeated that fails for reasons that pass. */
export const MAX_RETRIES = 2;
const MAX_RETRY_AFTER_MS = 10_000;

/**
 * @param delayMs before the first retry; it doubles with each further one
 * @throws what the last attempt threw; the reason of the signal
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  delayMs: number,
  signal: AbortSignal,
): Promise<T> {
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof HostFailure) || error.retryAfterMs === undefined || retries >= MAX_RETRIES) {
        throw error;
      }
      await pause(Math.max(error.retryAfterMs, delayMs * 2 ** retries), signal);
    }
  }
}

/** @throws the reason of the signal */
export async function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  await delay(pauseMs, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}

/**
 * @param text `120`, in seconds, or `Fri, 31 Dec 1999 23:59:59 GMT`; what is neither is no time at all
 * @returns milliseconds, no more than we are willing to wait
 * Source: RFC 9110 section 10.2.3.
 */
export function parseRetryAfter(text: string, nowMs: number): number {
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
