// What every operation carries from the caller: when to give up, where to write, whom to tell the time.

import type { StageLog } from './timeline.ts';

export interface Log {
  debug(fields: object, event: string): void;
  info(fields: object, event: string): void;
  warn(fields: object, event: string): void;
  error(fields: object, event: string): void;
}

export interface Call {
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Where the stages of this call are noted; absent when nobody will ask. */
  readonly timeline?: StageLog | undefined;
}

/** How long undoing may take, in milliseconds, whatever became of the caller. */
const CLEANUP_TIMEOUT_MS = 60_000;

/** A call for work that must go on after the caller has gone: cleanup, monitors, recovery. */
export function detached(call: Call, timeoutMs: number = CLEANUP_TIMEOUT_MS): Call {
  return { ...call, signal: AbortSignal.timeout(timeoutMs) };
}

/** A call that belongs to no caller: what the daemon does of itself. */
export function background(log: Log, timeoutMs: number = CLEANUP_TIMEOUT_MS): Call {
  return { log, signal: AbortSignal.timeout(timeoutMs) };
}
