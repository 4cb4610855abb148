// Processes that belong to a node of the tests: by what they were called with, or by the cgroup they are in.

import { describeProcess, listPids, readProc } from '../../../pkg/sys/testing/processes.ts';
import type { Place } from './place.ts';

/** All of them but ourselves and the daemon with its own children. */
export function processesOf(place: Place, daemonPid?: number): number[] {
  return listPids().filter((pid) => pid !== daemonPid && belongsTo(place, pid));
}

/** A node without pods has none, and its daemon has no child. */
export function leakedProcesses(place: Place, daemonPid: number | undefined): string[] {
  const leaked = processesOf(place, daemonPid).map((pid) => `process ${describeProcess(pid)} runs still`);
  const children = listPids().filter((pid) => daemonPid !== undefined && parentOf(pid) === daemonPid);
  return [...leaked, ...children.map((pid) => `the daemon has the child ${describeProcess(pid)}`)];
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

function parentOf(pid: number): number {
  const stat = readProc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
