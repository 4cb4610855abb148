// Where on the node things are that are named after the id of a pod or container.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../sys/errno.ts';
import { identifyNow, type ProcessIdentity } from '../../sys/process-identity.ts';

export interface PlacesOptions {
  readonly root: string;
  readonly runDir: string;
  /** Directories in which OCI runtimes keep their state. */
  readonly runtimeRoots: readonly string[];
}

/** All that is there of one id. */
export interface Place {
  readonly id: string;
  /** Files and directories, each named after the id. */
  readonly paths: readonly string[];
  /** Monitors of its bundle. */
  readonly monitors: readonly ProcessIdentity[];
}

/** Other names are not ours to judge. */
const ID = /^[0-9a-f]{64}$/;

/** What there is of every id, known or not. */
export async function findPlaces(options: PlacesOptions): Promise<Place[]> {
  const { root, runDir, runtimeRoots } = options;
  const dirs = [
    ...['containers', 'sandboxes', 'exits'].map((name) => join(runDir, name)),
    join(root, 'snapshots'),
    ...runtimeRoots,
  ];
  const paths = new Map<string, string[]>();
  for (const dir of dirs) {
    for (const name of await namesIn(dir)) {
      if (ID.test(name)) paths.set(name, [...(paths.get(name) ?? []), join(dir, name)]);
    }
  }
  const monitors = await findMonitors(runDir);
  const ids = new Set([...paths.keys(), ...monitors.keys()]);
  return [...ids].map((id) => ({ id, paths: paths.get(id) ?? [], monitors: monitors.get(id) ?? [] }));
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** By the bundle that they were started with, which is below our own directory. */
async function findMonitors(runDir: string): Promise<Map<string, ProcessIdentity[]>> {
  const monitors = new Map<string, ProcessIdentity[]>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const id = await bundleIdOf(name, runDir);
    const identity = id === undefined ? undefined : identifyNow(Number(name));
    if (id !== undefined && identity !== undefined) monitors.set(id, [...(monitors.get(id) ?? []), identity]);
  }
  return monitors;
}

async function bundleIdOf(pid: string, runDir: string): Promise<string | undefined> {
  const args = await readCommandLine(pid);
  const bundle = args[args.indexOf('--bundle') + 1] ?? '';
  if (!args.includes('--bundle') || !bundle.startsWith(`${runDir}/`)) return undefined;
  const [kind, id] = bundle.slice(runDir.length + 1).split('/');
  return (kind === 'containers' || kind === 'sandboxes') && ID.test(id ?? '') ? id : undefined;
}

async function readCommandLine(pid: string): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
  } catch {
    return []; // it has ended meanwhile
  }
}
