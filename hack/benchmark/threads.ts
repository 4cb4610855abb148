// The processor time of single threads of a process, by name.

import { readdirSync, readFileSync } from 'node:fs';

export interface ThreadTimes {
  readonly mainMs: number;
  /** Of all threads with the name that was asked for: each keeps its own count, and takes it along when it ends. */
  readonly namedMs: ReadonlyMap<number, number>;
}

export function threadTimes(pid: number, name: string): ThreadTimes {
  const named = new Map<number, number>();
  for (const entry of readdirSync(`/proc/${pid}/task`)) {
    try {
      if (readFileSync(`/proc/${pid}/task/${entry}/comm`, 'utf8').trim() === name)
        named.set(Number(entry), ranMs(pid, Number(entry)));
    } catch {
      // it has just ended
    }
  }
  return { mainMs: ranMs(pid, pid), namedMs: named };
}

export function namedMsSince(before: ThreadTimes, after: ThreadTimes): number {
  let total = 0;
  for (const [tid, ms] of after.namedMs) total += ms - (before.namedMs.get(tid) ?? 0);
  return total;
}

/** `1234567 890 12`: nanoseconds that it ran, nanoseconds that it waited, time slices. Source: sched-stats.rst. */
function ranMs(pid: number, tid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ', 1)[0]) / 1e6;
}
