// The one place that signals processes. A process is known by its pid and its start time, since pids are used
// again; pids below 2 are refused, since -1 means every process there is.

import { closeSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';
import { whenReadable } from './libc/poll.ts';
import { killGroup, pidfdOpen, pidfdSendSignal } from './libc/process.ts';

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
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks };
}

/** As `identifyNow()`: reading /proc does not wait. */
export function identify(pid: number): Promise<ProcessIdentity | undefined> {
  return Promise.resolve(identifyNow(pid));
}

/** When the process started, or `undefined` if there is none with this pid. */
export function startTicksOf(pid: number): Promise<string | undefined> {
  return Promise.resolve(readStat(pid)?.startTicks);
}

/** Whether it runs still; one that has ended but was not reaped does not. */
export function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return Promise.resolve(runs(identity));
}

/**
 * Sends a signal to exactly this process, never to another that has its pid now.
 *
 * @returns whether the process was still there to get it
 * @throws {Fault} invalid_argument — the pid is below 2
 */
export async function signal(identity: ProcessIdentity, name: NodeJS.Signals | number): Promise<boolean> {
  refuseSpecialPid(identity.pid);
  return withPidfd(identity, (pidfd) => {
    pidfdSendSignal(pidfd, typeof name === 'number' ? name : constants.signals[name]);
    return true;
  });
}

/** SIGKILL to a child of ours that was not reaped yet: until then its pid is no other's. Needs no descriptor. */
export function killUnreaped(pid: number): void {
  refuseSpecialPid(pid);
  process.kill(pid, 'SIGKILL'); // eslint-disable-line no-restricted-properties -- this is the place for it
}

/**
 * Sends a signal to the leader of a process group and to all of its group. A leader that has ended and was not reaped
 * counts, since nobody else can have its number; of one that was reaped the group may be another's.
 *
 * @returns whether there was such a group
 * @throws {Fault} invalid_argument — the pid is below 2
 */
export async function signalGroup(
  { pid, startTicks }: ProcessIdentity,
  name: NodeJS.Signals | number,
): Promise<boolean> {
  refuseSpecialPid(pid);
  if (readStat(pid)?.startTicks !== startTicks) return false;
  try {
    killGroup(pid, typeof name === 'number' ? name : constants.signals[name]);
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  }
}

/**
 * Waits until the process has ended, child of ours or not. One that is gone already has ended.
 *
 * @throws the reason of `call.signal` when it aborts; {Fault} invalid_argument — the pid is below 2
 */
export async function waitForExit(
  call: { readonly signal: AbortSignal },
  identity: ProcessIdentity,
): Promise<void> {
  call.signal.throwIfAborted();
  refuseSpecialPid(identity.pid);
  const pidfd = openPidfd(identity.pid);
  if (pidfd === undefined) return;
  try {
    if (runs(identity)) await untilReadable(pidfd, call.signal);
  } finally {
    closeSync(pidfd);
  }
}

async function untilReadable(fd: number, abort: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  using _watch = whenReadable(fd, () => {
    resolve(undefined);
  });
  const onAbort = () => {
    reject(abort.reason as Error);
  };
  abort.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    abort.removeEventListener('abort', onAbort);
  }
}

/** Once the pidfd is open it stays with that process, so a start time that matches then holds for good. */
function withPidfd(identity: ProcessIdentity, body: (pidfd: number) => boolean): boolean {
  const pidfd = openPidfd(identity.pid);
  if (pidfd === undefined) return false;
  try {
    return runs(identity) && body(pidfd);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return false;
    throw error;
  } finally {
    closeSync(pidfd);
  }
}

function openPidfd(pid: number): number | undefined {
  try {
    return pidfdOpen(pid);
  } catch (error) {
    if (isErrno(error, 'ESRCH')) return undefined;
    throw error;
  }
}

function runs(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid);
  return stat?.startTicks === identity.startTicks && stat.state !== 'Z' && stat.state !== 'X';
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}

function refuseSpecialPid(pid: number): void {
  if (Number.isInteger(pid) && pid > 1) return;
  throw new Fault('invalid_argument', `cannot signal or await process "${pid}"`, { detail: { pid } });
}
