// Takes away what a node has left, by force where it must be, so that one failure does not become many.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { parseMountInfo } from '../../../pkg/sys/mountinfo.ts';
import { unmount } from '../../../pkg/sys/mount.ts';
import { identifyNow, signal } from '../../../pkg/sys/process.ts';
import { listCgroups, removeCgroups, removeNodeCgroups } from './cgroups.ts';
import { eventually } from './eventually.ts';
import { processesOf } from './node-processes.ts';
import type { Place } from './place.ts';
import { listUnits, stopUnits } from './systemd-units.ts';

/** Nothing of the node is left when it returns. May be repeated. */
export async function cleanUp(place: Place): Promise<void> {
  await killAll(place);
  for (const target of mountsOf(place).reverse()) unmount(target);
  await eventually('the cgroups of the node are empty', () => {
    stopUnits(listUnits(place));
    removeCgroups(place);
    return listCgroups(place).length === 0;
  });
  removeNodeCgroups(place);
  removeInterfaces(place);
  removeRules(place);
  if (mountsOf(place).length === 0) rmSync(place.dir, { recursive: true, force: true });
}

/** Monitors too: they are in no cgroup of the node, but are called with its paths. */
export async function killAll(place: Place): Promise<void> {
  await eventually('the processes of the node end', async () => {
    const processes = processesOf(place).map(identifyNow);
    for (const process of processes) if (process !== undefined) await signal(process, 'SIGKILL');
    return processes.length === 0;
  });
}

/** In the order in which they were mounted. */
export function mountsOf({ dir }: Pick<Place, 'dir'>): string[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
    .map(({ target }) => target)
    .filter((target) => target.startsWith(`${dir}/`));
}

function removeInterfaces({ bridge }: Place): void {
  const dir = `/sys/class/net/${bridge}`;
  if (!existsSync(dir)) return;
  for (const name of readdirSync(`${dir}/brif`)) execFileSync('ip', ['link', 'delete', name]);
  execFileSync('ip', ['link', 'delete', bridge]);
}

/** Each pod has a chain of its own for masquerading, named in a rule that says whose it is. */
export function removeRules(place: Place): void {
  for (const iptables of ['iptables', 'ip6tables']) removeRulesOf(iptables, place);
}

function removeRulesOf(iptables: string, { name }: Place): void {
  const nat = (...args: readonly string[]): string =>
    execFileSync(iptables, ['-w', '-t', 'nat', ...args], { encoding: 'utf8', stdio: 'pipe' });
  for (;;) {
    const rules = nat('-n', '-L', 'POSTROUTING', '--line-numbers').split('\n');
    const rule = rules.find((line) => line.includes(name));
    const [, number, chain] = /^(\d+)\s+(CNI-[0-9a-f]+)/.exec(rule ?? '') ?? [];
    if (number === undefined || chain === undefined) return;
    nat('-D', 'POSTROUTING', number);
    nat('-F', chain);
    nat('-X', chain);
  }
}
