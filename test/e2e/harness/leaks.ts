// What a node without pods must not have: each thing found is told in a sentence that names it.

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseMountInfo } from '../../../pkg/sys/mountinfo.ts';
import { listCgroups } from './cgroups.ts';
import { leakedProcesses } from './node-processes.ts';
import type { Place } from './place.ts';
import { listUnits } from './systemd-units.ts';

export interface Expected {
  /** Absent when the daemon does not run. */
  readonly daemonPid: number | undefined;
  /** As of `listFiles()` before there were pods. */
  readonly files: ReadonlySet<string>;
}

export function findLeaks(place: Place, expected: Expected): string[] {
  return [
    ...leakedProcesses(place, expected.daemonPid),
    ...leakedMounts(place),
    ...leakedCgroups(place),
    ...leakedUnits(place),
    ...leakedLeases(place),
    ...leakedInterfaces(place),
    ...leakedRules(place),
    ...leakedFiles(place, expected.files),
    ...leakedInventories(place),
  ];
}

/** One sentence for a cgroup that is left in several hierarchies. */
function leakedCgroups(place: Place): string[] {
  const paths = Map.groupBy(listCgroups(place), ({ path }) => path);
  return [...paths].map(
    ([path, found]) => `cgroup "${path}" is left in ${found.map(({ hierarchy }) => hierarchy).join(', ')}`,
  );
}

function leakedUnits(place: Place): string[] {
  return listUnits(place).map((unit) => `systemd still has "${unit}"`);
}

/** A node may have its root on a disk of its own. */
function leakedMounts({ dir, root }: Place): string[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'))
    .filter(({ target }) => target.startsWith(`${dir}/`) && target !== root)
    .map(({ target, fsType }) =>
      fsType === 'nsfs' ? `namespace is pinned at "${target}"` : `${fsType} is mounted at "${target}"`,
    );
}

/** host-local keeps one file for each address given out, and two more. */
function leakedLeases({ ipamDir, name }: Place): string[] {
  const dir = join(ipamDir, name);
  if (!existsSync(dir)) return [];
  return readdirSync(dir)
    .filter((file) => file !== 'lock' && !file.startsWith('last_reserved_ip.'))
    .map((file) => `address ${file} is not given back`);
}

function leakedInterfaces({ bridge }: Place): string[] {
  const dir = `/sys/class/net/${bridge}/brif`;
  if (!existsSync(dir)) return [];
  return readdirSync(dir).map((name) => `interface "${name}" is still on the bridge "${bridge}"`);
}

function leakedRules({ name, network }: Place): string[] {
  return ['iptables-save', 'ip6tables-save'].flatMap((program) =>
    execFileSync(program, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .split('\n')
      .filter((line) => line.includes(name) || line.includes(`${network}.`))
      .map((line) => `${program} shows the rule ${line}`),
  );
}

/** May change while there are no pods; the runtimes' state is looked at by itself. */
const MAY_CHANGE = [
  'root/db',
  'root/layers',
  'root/inventories',
  'root/records',
  'root/lock',
  'root/lost+found',
  'run/runtime',
];

/** All below the daemon's directories, relative to the place. */
export function listFiles({ dir, root, run }: Place): ReadonlySet<string> {
  const files = [root, run].flatMap((top) =>
    readdirSync(top, { recursive: true, encoding: 'utf8' }).map((path) => relative(dir, join(top, path))),
  );
  return new Set(
    files.filter((path) => !MAY_CHANGE.some((part) => path === part || path.startsWith(`${part}/`))),
  );
}

/** Directories that are made once, with the first of what they hold. */
const LASTING = /^(run\/(sandboxes|containers|exits|runtime)|root\/(snapshots|ingest|layers))$/;

function leakedFiles(place: Place, known: ReadonlySet<string>): string[] {
  const found = listFiles(place);
  const isNew = (path: string): boolean => found.has(path) && !known.has(path) && !LASTING.test(path);
  const topmost = [...found].filter((path) => isNew(path) && !isNew(dirname(path)));
  return [...topmost, ...runtimeState(place)].map((path) => `"${join(place.dir, path)}" is left`);
}

/** Each layer has one, and there are no others. */
function leakedInventories({ root }: Place): string[] {
  const [layers, inventories] = ['layers', 'inventories'].map((name) => readdirSync(join(root, name)).sort());
  if (JSON.stringify(layers) === JSON.stringify(inventories)) return [];
  return [`there are the layers ${layers?.join(', ')} and the inventories ${inventories?.join(', ')}`];
}

/** The OCI runtimes keep a directory for each container. */
function runtimeState({ run }: Place): string[] {
  const top = join(run, 'runtime');
  if (!existsSync(top)) return [];
  return readdirSync(top).flatMap((handler) =>
    readdirSync(join(top, handler)).map((id) => `run/runtime/${handler}/${id}`),
  );
}
