// Memory of processes as their share of it (PSS): what is used by several is divided among them.

import { readdir, readFile } from 'node:fs/promises';

/** @returns undefined when the process has ended or may not be looked at */
export async function pssKib(pid: number): Promise<number | undefined> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const text = /^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1];
  return text === undefined ? undefined : Number(text);
}

export interface PodMemory {
  readonly totalKib: number;
  /** How many of each program: `conmon` → 10. */
  readonly programs: Readonly<Record<string, number>>;
}

/**
 * What the runtime's own processes for these pods take: monitors and shims, which carry the id of a pod or of
 * a container on their command line, and what lives in the cgroup of a pod itself, such as a pause process.
 * The processes of the containers are not counted.
 */
export async function podMemory(ids: {
  sandboxes: readonly string[];
  containers: readonly string[];
}): Promise<PodMemory> {
  const all = [...ids.sandboxes, ...ids.containers];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const programs: Record<string, number> = {};
  let totalKib = 0;
  for (const pid of pids) {
    const [command, cgroup] = await Promise.all([read(pid, 'cmdline'), read(pid, 'cgroup')]);
    const isMonitor = all.some((id) => command.includes(id));
    if (!isMonitor && !ids.sandboxes.some((id) => isInGroupOf(cgroup, id))) continue;
    const pss = await pssKib(pid);
    if (pss === undefined) continue;
    const name = (await read(pid, 'comm')).trim();
    programs[name] = (programs[name] ?? 0) + 1;
    totalKib += pss;
  }
  return { totalKib, programs };
}

/** The last part of the path is the id, or `cri-<id>.scope` with the systemd driver. */
function isInGroupOf(cgroup: string, id: string): boolean {
  return cgroup.split('\n').some((line) => line.endsWith(`/${id}`) || line.endsWith(`-${id}.scope`));
}

function read(pid: number, file: string): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
}
