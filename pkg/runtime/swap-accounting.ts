// Whether the kernel limits swap per cgroup: a runtime that is told a swap limit fails where it does not.

import { readFile, stat } from 'node:fs/promises';
import type { Cgroups } from '../sys/cgroup.ts';
import { isErrno } from '../sys/errno.ts';

/** The root of version 2 has no limits, so it is this process's own group that is asked, or one made for it. */
export async function hasSwapAccounting(
  cgroups: Pick<Cgroups, 'version' | 'create' | 'readFile' | 'remove'>,
): Promise<boolean> {
  if (cgroups.version === 1) return exists('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes');
  const own = /^0::(.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  if (own !== '/') return hasSwapLimit(cgroups, own);
  const probe = `/davit-probe-${process.pid}`;
  await cgroups.create(probe);
  try {
    return await hasSwapLimit(cgroups, probe);
  } finally {
    await cgroups.remove(probe);
  }
}

async function hasSwapLimit(cgroups: Pick<Cgroups, 'readFile'>, path: string): Promise<boolean> {
  return (await cgroups.readFile(path, 'memory', 'memory.swap.max')) !== undefined;
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
