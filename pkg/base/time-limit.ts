// A limit on how long something may take, with a reason in words; the caller may have less patience, not more.

import { Fault } from './fault.ts';
import { linkSignals, type LinkedSignal } from './signal.ts';

/** The longest delay that timers take. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * A signal that aborts with `signal`, or as `deadline_exceeded` after so much time, until it is disposed. Always
 * dispose it.
 *
 * @param limitMs absent or 0, or too long for a timer, for no limit
 * @param message of the fault: `command in container "4f1c" timed out after 100 ms`
 */
export function limitTime(
  signal: AbortSignal,
  limitMs: number | undefined,
  message: (limitMs: number) => string,
): LinkedSignal {
  if (limitMs === undefined || limitMs <= 0 || limitMs > MAX_TIMER_MS) return linkSignals(signal);
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new Fault('deadline_exceeded', message(limitMs)));
  }, limitMs);
  const linked = linkSignals(signal, controller.signal);
  return {
    signal: linked.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      linked[Symbol.dispose]();
    },
  };
}
