// How eagerly the kernel kills a process when memory runs out, and how far down we may go.

import { readFile } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';
import { isErrno } from '../sys/errno.ts';

/** The lowest the kernel knows: never killed. Source: proc_pid_oom_score_adj(5). */
const LOWEST = -1000;

/**
 * The lowest value that this process may give to others: without CAP_SYS_RESOURCE none below its own.
 *
 * @throws {Fault} data_loss — the kernel's answer is not a number
 */
export async function lowestOomScoreAdj(capabilities: ReadonlySet<string>): Promise<number> {
  if (capabilities.has('CAP_SYS_RESOURCE')) return LOWEST;
  const text = (await readFile('/proc/self/oom_score_adj', 'utf8')).trim();
  if (/^-?\d+$/.test(text)) return Number(text);
  throw new Fault('data_loss', `cannot read /proc/self/oom_score_adj: "${text}"`);
}

/** @returns `wanted`, or `lowest` if that is higher: then the container is killed sooner than asked for */
export function clampOomScoreAdj(wanted: number, lowest: number): number {
  return Math.max(wanted, lowest);
}

/** That of a process, or `undefined` when it has ended. */
export async function readOomScoreAdj(pid: number): Promise<bigint | undefined> {
  try {
    return BigInt((await readFile(`/proc/${pid}/oom_score_adj`, 'utf8')).trim());
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
