// CPU time: of a daemon with its children, of the whole machine, of this program.

import { readFileSync } from 'node:fs';

/** USER_HZ: what /proc counts in, on every architecture that we run on. */
const MS_PER_TICK = 10;

/** The daemon and those of its children that it has waited for; monitors that left it are not in it. */
export function daemonCpuMs(pid: number): number {
  return sum(timesOf(pid)) * MS_PER_TICK;
}

/** The daemon alone, with all its threads. */
export function processCpuMs(pid: number): number {
  return sum(timesOf(pid).slice(0, 2)) * MS_PER_TICK;
}

/** utime, stime, cutime, cstime: fields 14 to 17. */
function timesOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // from the third on
  return fields.slice(11, 15);
}

/** Everything that ran on the machine, whoever started it. */
export function machineCpuMs(): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '';
  const [user, nice, system, , , irq, softirq] = line.trim().split(/\s+/).slice(1);
  return sum([user, nice, system, irq, softirq]) * MS_PER_TICK;
}

export function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}

function sum(values: readonly (string | undefined)[]): number {
  return values.reduce((total, value) => total + Number(value ?? 0), 0);
}
