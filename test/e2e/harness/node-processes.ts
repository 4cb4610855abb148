// Processes that belong to a node of the tests: by what they were called with, or by the cgroup they are in.

import { readdirSync, readFileSync } from 'node:fs';
import type { Place } from './place.ts';

/** All of them but ourselves and the daemon with its own children. */
export function processesOf(place: Place, daemonPid?: number): number[] {
  return listPids().filter((pid) => pid !== daemonPid && belongsTo(place, pid));
}

/** A node without pods has none, and its daemon has no child. */
export function leakedProcesses(place: Place, daemonPid: number | undefined): string[] {
  const leaked = processesOf(place, daemonPid).map((pid) => `process ${describe(pid)} runs still`);
  const children = listPids().filter((pid) => daemonPid !== undefined && parentOf(pid) === daemonPid);
  return [...leaked, ...children.map((pid) => `the daemon has the child ${describe(pid)}`)];
}

/** Processes of a file of the node that a test has started itself: a registry. */
export const TESTS_OWN = 'tests-own';

function belongsTo({ dir, cgroupParent }: Place, pid: number): boolean {
  const mentionsPlace = ['cmdline', 'environ'].some((file) => {
    const text = readProc(pid, file);
    return text.includes(`${dir}/`) && !text.includes(`${dir}/${TESTS_OWN}`);
  });
  return mentionsPlace || readProc(pid, 'cgroup').includes(`${cgroupParent}/`);
}

function listPids(): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => pid > 1 && pid !== process.pid);
}

/** `1234 (Z) "sleep 100"` */
function describe(pid: number): string {
  const stat = readProc(pid, 'stat');
  const nameEnd = stat.lastIndexOf(')');
  const name = stat.slice(stat.indexOf('('), nameEnd + 1);
  const commandLine = readProc(pid, 'cmdline').replaceAll('\0', ' ').trim();
  return `${pid} (${stat[nameEnd + 2] ?? '?'}) "${commandLine || name}"`;
}

function parentOf(pid: number): number {
  const stat = readProc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** '' for what has ended meanwhile. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}
