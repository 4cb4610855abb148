// What a process is known by: its pid and its start time, since pids are used again.

import { readFileSync } from 'node:fs';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in clock ticks since boot, as digits. */
  readonly startTicks: string;
}

interface ProcessStat {
  /** One letter; `Z` and `X` are processes that have ended. */
  readonly state: string;
  readonly startTicks: string;
}

/**
 * Parses the text of `/proc/<pid>/stat`.
 *
 * `42 (a b) c) S 1 …`: the name may contain anything, so that only its last parenthesis counts. The state is
 * the third field, the start time the twenty-second. Source: proc_pid_stat(5).
 *
 * @throws {Fault} data_loss — it has another shape
 */
export function parseProcessStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === undefined || startTicks === undefined) {
    throw new Fault('data_loss', `cannot read process status: ${text}`);
  }
  return { state, startTicks };
}

/** What identifies the process `pid` now, or `undefined` if there is none. */
export function identifyNow(pid: number): ProcessIdentity | undefined {
  const stat = readProcessStat(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks };
}

/** Whether it runs still; one that has ended but was not reaped does not. */
export function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return Promise.resolve(isAliveNow(identity));
}

/** As `isAlive()`, at once. */
export function isAliveNow(identity: ProcessIdentity): boolean {
  const stat = readProcessStat(identity.pid);
  return stat?.startTicks === identity.startTicks && stat.state !== 'Z' && stat.state !== 'X';
}

/** `undefined` if there is no process with this pid. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
