// Takes away what a node has left, by force where it must be, so that one failure does not become many.

import { basename } from 'node:path';
import { identifyNow } from '../../../pkg/sys/process-identity.ts';
import { signal } from '../../../pkg/sys/process.ts';
import { takeAway } from '../../../pkg/sys/testing/take-away.ts';
import { eventually } from './eventually.ts';
import { processesOf } from './node-processes.ts';
import { patience } from './patience.ts';
import { belongingsOf, type Place } from './place.ts';
import { listUnits, stopUnits } from './systemd-units.ts';

/** Nothing of the node is left when it returns. May be repeated. */
export async function cleanUp(place: Place): Promise<void> {
  await killAll(place);
  stopUnits([...listUnits(place), basename(place.cgroupParent)]); // else systemd makes their cgroups again
  await takeAway(belongingsOf(place), patience(30_000));
}

/** Monitors too: they are in no cgroup of the node, but are called with its paths. */
export async function killAll(place: Place): Promise<void> {
  await eventually('the processes of the node end', async () => {
    const processes = processesOf(place).map(identifyNow);
    for (const process of processes) if (process !== undefined) await signal(process, 'SIGKILL');
    return processes.length === 0;
  });
}
