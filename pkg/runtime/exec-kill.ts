// Ending an exec with all that it started.

import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { steadyMs } from '../base/clock.ts';
import type { Call } from '../base/call.ts';
import { identifyNow } from '../sys/process-identity.ts';
import { signal, waitForExit } from '../sys/process.ts';
import type { Child } from '../sys/spawn.ts';
import type { ExecCgroup } from './exec-cgroup.ts';

/** conmon ends when the command has; one whose runtime has not come that far yet is killed. */
const CONMON_GRACE_MS = 300;
const LOOK_AGAIN_MS = 10;

/**
 * Kills the command's cgroup until conmon ends, else conmon, and with it a runtime that is still starting: that
 * asked the kernel to die with its parent. Once all these are gone nothing can enter the cgroup any more.
 */
export async function killExec(call: Call, child: Child, cgroup: ExecCgroup): Promise<void> {
  const graceEndsMs = steadyMs() + CONMON_GRACE_MS;
  let ended = false;
  while (!ended && steadyMs() < graceEndsMs) {
    await cgroup.killAll(call); // a command that enters it now tells nobody
    ended = await Promise.race([child.exited.then(() => true), delay(LOOK_AGAIN_MS, false)]);
  }
  const children = (await childrenOf(child.pid)).map(identifyNow).filter((found) => found !== undefined);
  await signal(child.identity, 'SIGKILL');
  await child.exited;
  await cgroup.killAll(call); // the command, if it has come into being since
  for (const runtimeOrCommand of children) await waitForExit(call, runtimeOrCommand);
  await cgroup.killAll(call); // what a dying runtime put there
}

/** Source: proc_tid_children(5). */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}
