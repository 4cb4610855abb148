// Whether the kernel limits swap per cgroup: a runtime that is told a swap limit fails where it does not.

import { readFile, stat } from 'node:fs/promises';
import { isErrno } from '../sys/errno.ts';

/** The root of version 2 has no limits, so it is this process's own group that is asked. */
export async function hasSwapAccounting(cgroupVersion: 1 | 2): Promise<boolean> {
  if (cgroupVersion === 1) return exists('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes');
  const own = /^0::(.*)$/m.exec(await readFile('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
  return exists(`/sys/fs/cgroup${own === '/' ? '' : own}/memory.swap.max`);
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
