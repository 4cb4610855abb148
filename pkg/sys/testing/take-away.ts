// Takes away what belongs to a run of tests or of a benchmark, by force where it must be.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../errno.ts';
import { unmount } from '../mount.ts';
import { identifyNow } from '../process-identity.ts';
import { signal } from '../process.ts';
import {
  cgroupsOf,
  mountsOf,
  processesOf,
  readIfThere,
  remainsOf,
  subgroups,
  type Belongings,
} from './belongings.ts';
import { eventually } from './eventually.ts';

const END_MS = 60_000;
const FORWARDING = '/proc/sys/net/ipv4/ip_forward';

/** For `Belongings.forwarding`, before the first bridge is made. */
export function readForwarding(): string {
  return readFileSync(FORWARDING, 'utf8');
}

/** Nothing of it is left when it returns. May be repeated. @throws when something does not go in time */
export async function takeAway(belongings: Belongings, timeoutMs = END_MS): Promise<void> {
  await endProcesses(belongings, timeoutMs);
  for (const { target } of mountsOf(belongings).reverse()) unmount(target);
  await eventually(() => {
    for (const dir of cgroupsOf(belongings)) removeGroup(dir);
    return cgroupsOf(belongings).length === 0;
  }, timeoutMs);
  if (belongings.bridge !== undefined) removeBridge(belongings.bridge);
  if (belongings.rules !== undefined) removeRules(belongings.rules);
  if (belongings.forwarding !== undefined && !hasBridge()) writeFileSync(FORWARDING, belongings.forwarding);
  if (mountsOf(belongings).length > 0) throw new Error(remainsOf(belongings).join('; ')); // before anything is deleted
  for (const dir of belongings.dirs) rmSync(dir, { recursive: true, force: true });
}

/** SIGKILL to all of them, monitors too: those are in no cgroup of a pod, but are called with its paths. */
export async function endProcesses(belongings: Belongings, timeoutMs = END_MS): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const identities = processesOf(belongings).map(identifyNow);
    for (const identity of identities) if (identity !== undefined) await signal(identity, 'SIGKILL');
    if (identities.length === 0) return;
    if (Date.now() > deadline) throw new Error(remainsOf(belongings).join('; '));
    await delay(5);
  }
}

function removeGroup(group: string): void {
  for (const below of subgroups(group)) removeGroup(below);
  try {
    rmdirSync(group);
  } catch (error) {
    if (!isErrno(error, 'ENOENT', 'EBUSY')) throw error; // busy: a process in it is on its way out
  }
}

function removeBridge(bridge: string): void {
  if (!existsSync(`/sys/class/net/${bridge}`)) return;
  for (const name of [...readIfThere(`/sys/class/net/${bridge}/brif`), bridge]) {
    execFileSync('ip', ['link', 'delete', name], { stdio: 'pipe' });
  }
}

function hasBridge(): boolean {
  return readIfThere('/sys/class/net').some((name) => existsSync(`/sys/class/net/${name}/bridge`));
}

/** Each pod has a chain of its own for masquerading, and a rule with a comment that says whose it is. */
export function removeRules(word: string): void {
  for (const iptables of ['iptables', 'ip6tables']) {
    const nat = (...args: readonly string[]): string =>
      execFileSync(iptables, ['-w', '-t', 'nat', ...args], { encoding: 'utf8', stdio: 'pipe' });
    for (;;) {
      const rules = nat('-n', '-L', 'POSTROUTING', '--line-numbers').split('\n');
      const rule = rules.find((line) => line.includes(word));
      const [, number, chain] = /^(\d+)\s+(CNI-[0-9a-f]+)/.exec(rule ?? '') ?? [];
      if (number === undefined || chain === undefined) break;
      nat('-D', 'POSTROUTING', number);
      nat('-F', chain);
      nat('-X', chain);
    }
  }
}
