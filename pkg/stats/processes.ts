// The processes of a control group, and what they hold open. A container can have as many as its limits allow, so
// there is a bound to what is looked at.

import type { KernelFiles } from './kernel-files.ts';
import type { ProcessDetail } from './usage.ts';

/** The processes in the group at `dir` and below it; in ascending order. */
export function pidsIn(files: KernelFiles, dir: string): number[] {
  return collect(files, dir).sort((a, b) => a - b);
}

function collect(files: KernelFiles, dir: string): number[] {
  const own = (files.read(`${dir}/cgroup.procs`) ?? '').split('\n').filter(Boolean).map(Number);
  const below = files.subgroups(dir).map((name) => collect(files, `${dir}/${name}`));
  return own.concat(...below).filter((pid) => pid > 0); // 0: of a pid namespace that we cannot see
}

/** Processes of one group whose files are counted; more are rarely of interest, and costly. */
const MAX_PROCESSES = 1000;
/** Open files of one group of which it is asked whether they are sockets. */
const MAX_LINKS = 2000;

export function openFilesOf(
  files: KernelFiles,
  pids: readonly number[],
): Pick<ProcessDetail, 'openFiles' | 'sockets' | 'maxOpenFiles'> {
  let openFiles = 0;
  let sockets = 0;
  let links = 0;
  for (const pid of pids.slice(0, MAX_PROCESSES)) {
    const dir = `/proc/${pid}/fd`;
    const count = files.size(dir) ?? 0;
    if (links + count > MAX_LINKS) {
      openFiles += count;
      continue;
    }
    const names = files.names(dir) ?? [];
    openFiles += names.length;
    links += names.length;
    sockets += names.filter((name) => files.link(`${dir}/${name}`)?.startsWith('socket:')).length;
  }
  return { openFiles, sockets, maxOpenFiles: maxOpenFilesOf(files, pids[0]) };
}

function maxOpenFilesOf(files: KernelFiles, pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  const soft = /^Max open files\s+(\d+)/m.exec(files.read(`/proc/${pid}/limits`) ?? '')?.[1];
  return soft === undefined ? undefined : Number(soft);
}
