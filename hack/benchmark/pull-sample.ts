// One pull, measured from outside: time, CPU time of the daemon and all it starts, the daemon's peak memory, and
// how long it kept others waiting meanwhile.

import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Target } from './target.ts';

const PULL_MS = 600_000;
const ASK_EVERY_MS = 20;

export interface PullSample {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** The most that was resident, in MiB. */
  readonly peakMib: number;
  /** The slowest answer to a small question (Version) during the pull. */
  readonly slowestAnswerMs: number;
}

export async function measurePull(target: Target, image: string): Promise<PullSample> {
  const { client, daemonPid, group } = target;
  if (daemonPid === undefined || group === undefined) throw new Error('the daemon was not started here');
  await untilQuiet(target);
  writeFileSync(`/proc/${daemonPid}/clear_refs`, '5'); // the peak counts from now on; proc_pid_clear_refs(5)
  const cpuBefore = group.usedMs();
  const pulled = new AbortController();
  const answers = slowestAnswer(target, pulled.signal);
  const start = performance.now();
  await client.pullImage({ image: { image } }, { timeoutMs: PULL_MS });
  const wallMs = performance.now() - start;
  pulled.abort();
  return {
    wallMs,
    slowestAnswerMs: await answers,
    cpuMs: group.usedMs() - cpuBefore,
    peakMib: peakMib(daemonPid),
  };
}

export async function removeImage(target: Target, image: string): Promise<void> {
  await target.client.removeImage({ image: { image } }, { timeoutMs: PULL_MS });
  await untilQuiet(target);
}

async function slowestAnswer({ client }: Target, pulled: AbortSignal): Promise<number> {
  let slowest = 0;
  while (!pulled.aborted) {
    const start = performance.now();
    await client.version({ version: 'v1' }, { timeoutMs: PULL_MS });
    slowest = Math.max(slowest, performance.now() - start);
    await delay(ASK_EVERY_MS);
  }
  return slowest;
}

/** Removed layers are deleted in the background: nothing is measured before that has ended. */
async function untilQuiet({ group }: Target): Promise<void> {
  if (group === undefined) return;
  for (let before = group.usedMs(); ;) {
    await delay(500);
    const now = group.usedMs();
    if (now - before < 25) return;
    before = now;
  }
}

function peakMib(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
