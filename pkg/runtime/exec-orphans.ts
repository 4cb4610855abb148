// Commands that an earlier daemon was running in a container: nobody reads them any more, nor ends them in time.
// What finished commands have left behind is none of them.

import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Call } from '../base/call.ts';
import type { Cgroups } from '../sys/cgroup.ts';
import { isErrno } from '../sys/errno.ts';
import { readTextIfExists } from '../sys/files.ts';

/** As in exec-files.ts: what an exec has in the bundle while it lasts. */
const FILE_NAME = /^(exec-[0-9a-f]{16})\.[a-z]+$/;

/** A runtime that was just starting the command will have written its pid by then. */
const PID_ATTEMPTS = 20;
const PID_INTERVAL_MS = 50;

/**
 * Kills them, with all that they have started, and removes their files. It must be done before this daemon runs
 * a command in the container.
 *
 * @returns how many there were
 */
export async function endOrphanExecs(
  cgroups: Pick<Cgroups, 'killAll' | 'remove'>,
  call: Call,
  { bundle, cgroupPath }: { readonly bundle: string; readonly cgroupPath: string },
): Promise<number> {
  const names = await namesOf(bundle);
  for (const name of names) {
    const pid = await pidOf(join(bundle, `${name}.pid`));
    const group = pid === undefined ? undefined : await execCgroupOf(pid, cgroupPath);
    if (group !== undefined) {
      await cgroups.killAll(call, group);
      await cgroups.remove(group);
    }
  }
  const files = (await readdir(bundle)).filter((file) => FILE_NAME.test(file));
  await Promise.all(files.map((file) => rm(join(bundle, file), { force: true })));
  return names.length;
}

async function namesOf(bundle: string): Promise<string[]> {
  try {
    const files = await readdir(bundle);
    return [...new Set(files.map((file) => FILE_NAME.exec(file)?.[1]).filter((name) => name !== undefined))];
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function pidOf(path: string): Promise<number | undefined> {
  for (let attempt = 0; attempt < PID_ATTEMPTS; attempt++) {
    const pid = Number((await readTextIfExists(path)) ?? NaN);
    if (Number.isInteger(pid) && pid > 1) return pid;
    await delay(PID_INTERVAL_MS);
  }
  return undefined;
}

/** `4:freezer:/davit/4f1c…/exec-8a3b22c1`. A pid may be another's by now: that is in no such group. */
async function execCgroupOf(pid: number, container: string): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  const paths = text.split('\n').map((line) => line.split(':').slice(2).join(':'));
  return paths.find(
    (path) => path.startsWith(`${container}/`) && /^exec-[0-9a-f]{8}$/.test(path.slice(container.length + 1)),
  );
}
