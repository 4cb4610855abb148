// Processes as tests and benchmarks look for them: by what they were called with, and by the cgroups they are in.

import { readdirSync, readFileSync } from 'node:fs';

/** All of this machine but the first and ourselves. */
export function listPids(): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => pid > 1 && pid !== process.pid);
}

/** `1234 (Z) "sleep 100"` */
export function describeProcess(pid: number): string {
  const stat = readProc(pid, 'stat');
  const nameEnd = stat.lastIndexOf(')');
  const name = stat.slice(stat.indexOf('('), nameEnd + 1);
  const commandLine = readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();
  return `${pid} (${stat[nameEnd + 2] ?? '?'}) "${commandLine || name}"`;
}

/** A file of `/proc/<pid>/`; '' for a process that has ended meanwhile. */
export function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
