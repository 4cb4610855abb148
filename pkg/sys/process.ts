// The one place that signals processes. Pids below 2 are refused, since -1 means every process there is.

import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';
import { whenReadable } from './libc/poll.ts';
import { killGroup, pidfdOpen, pidfdSendSignal } from './libc/process.ts';
import { isAliveNow, readProcessStat, type ProcessIdentity } from './process-identity.ts';

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
  if (readProcessStat(pid)?.startTicks !== startTicks) return false;
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
    if (isAliveNow(identity)) await untilReadable(pidfd, call.signal);
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
    return isAliveNow(identity) && body(pidfd);
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

function refuseSpecialPid(pid: number): void {
  if (Number.isInteger(pid) && pid > 1) return;
  throw new Fault('invalid_argument', `cannot signal or await process "${pid}"`, { detail: { pid } });
}
