// Says in words what a process is doing, for the one question "why does it not die?".

import { readFile } from 'node:fs/promises';
import { parseProcessStat, type ProcessIdentity } from './process-identity.ts';

/** Source: proc_pid_stat(5), proc_pid_wchan(5). */
const STATES: Readonly<Record<string, string>> = {
  R: 'runs',
  S: 'sleeps',
  D: 'waits for the kernel and cannot be interrupted',
  T: 'is stopped',
  t: 'is traced',
  Z: 'has ended and waits for its parent',
};

/** `process 4242 waits for the kernel and cannot be interrupted, in io_schedule` */
export async function describeProcess({ pid, startTicks }: ProcessIdentity): Promise<string> {
  try {
    const stat = parseProcessStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
    if (stat.startTicks !== startTicks) return `process ${pid} is gone`;
    const wchan = (await readFile(`/proc/${pid}/wchan`, 'utf8')).trim();
    const where = wchan === '' || wchan === '0' ? '' : `, in ${wchan}`;
    return `process ${pid} ${STATES[stat.state] ?? `is in state ${stat.state}`}${where}`;
  } catch {
    return `process ${pid} is gone`;
  }
}
