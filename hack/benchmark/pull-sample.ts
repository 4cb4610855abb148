// One pull, measured from outside: time, CPU time of the daemon and all it starts, the daemon's peak memory, and
// how long it kept others waiting meanwhile.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
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
  /** How late the daemon's event loop was at most, as it tells itself; only davit does. */
  readonly loopDelayMs: number | undefined;
}

export async function measurePull(target: Target, image: string): Promise<PullSample> {
  const { client, daemonPid, group, metrics } = target;
  if (daemonPid === undefined || group === undefined) throw new Error('the daemon was not started here');
  await untilQuiet(target);
  writeFileSync(`/proc/${daemonPid}/clear_refs`, '5'); // the peak counts from now on; proc_pid_clear_refs(5)
  await loopDelayMs(metrics); // counts from now on
  const cpuBefore = group.usedMs();
  const pulled = new AbortController();
  const answers = slowestAnswer(target, pulled.signal);
  const start = performance.now();
  await client.pullImage({ image: { image } }, { timeoutMs: PULL_MS });
  const wallMs = performance.now() - start;
  const [cpuMs, peak] = [group.usedMs() - cpuBefore, peakMib(daemonPid)];
  pulled.abort();
  const slowestAnswerMs = await answers;
  return { wallMs, cpuMs, peakMib: peak, slowestAnswerMs, loopDelayMs: await loopDelayMs(metrics) };
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

/** The longest delay since it was asked last. */
async function loopDelayMs(socketPath: string | undefined): Promise<number | undefined> {
  if (socketPath === undefined) return undefined;
  const asked = request({ socketPath, path: '/metrics' }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const seconds = /^davit_event_loop_delay_seconds\{statistic="max"\} (.*)$/m.exec(await text(answer))?.[1];
  return Number(seconds) * 1000;
}

function peakMib(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
