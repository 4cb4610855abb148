// What is on the node of pods and containers that no record knows. Nothing is begun before its record is on disk, and
// a record goes last: what has none is left over, from a defect of ours or from a database that was lost.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { Call } from '../../base/call.ts';
import type { OciCli } from '../../runtime/runtime-cli.ts';
import type { RuntimeHandler } from '../../runtime/handlers.ts';
import type { Cgroups } from '../../sys/cgroup.ts';
import { removeTree } from '../../sys/files.ts';
import { mountsUnder } from '../../sys/mountinfo.ts';
import { unmount } from '../../sys/mount.ts';
import { isAlive } from '../../sys/process-identity.ts';
import { signal } from '../../sys/process.ts';
import type { Finding, Inspection } from './finding.ts';
import { findPlaces, type Place, type PlacesOptions } from './places.ts';

export interface StraysDeps extends PlacesOptions {
  readonly handlers: () => readonly RuntimeHandler[];
  readonly cli: Pick<OciCli, 'state' | 'delete'>;
  readonly cgroups: Pick<Cgroups, 'pids' | 'killAll' | 'remove'>;
  /** Whether a record has the id, be it one that cannot be read. */
  readonly isKnown: (id: string) => boolean;
}

export function inspectStrays(deps: StraysDeps): Inspection {
  return async (call) => {
    const places = await findPlaces(deps); // first the node, then the records: what is new has one by then
    const strays: Stray[] = [];
    for (const place of places.filter(({ id }) => !deps.isKnown(id)))
      if (await isThere(place)) strays.push(await lookAt(deps, call, place));
    // whose pod a stray container is nobody knows: while one runs, what a stray pod has may be in use
    const anyRuns = strays.some(({ runs }) => runs);
    return strays.map((stray) => describe(deps, stray, stray.runs || (anyRuns && isPod(deps, stray.place))));
  };
}

interface Stray {
  readonly place: Place;
  readonly cgroup: string | undefined;
  readonly pids: readonly number[];
  readonly runs: boolean;
}

function isPod({ runDir }: StraysDeps, { id, paths }: Place): boolean {
  return paths.includes(join(runDir, 'sandboxes', id));
}

/** It may have been removed while we looked. */
async function isThere({ paths, monitors }: Place): Promise<boolean> {
  const found = await Promise.all(paths.map((path) => stat(path).then(Boolean, () => false)));
  const alive = await Promise.all(monitors.map((monitor) => isAlive(monitor)));
  return [...found, ...alive].includes(true);
}

async function lookAt(deps: StraysDeps, call: Call, place: Place): Promise<Stray> {
  const cgroup = await findCgroup(deps.runDir, place.id);
  const pids = cgroup === undefined ? [] : await deps.cgroups.pids(cgroup);
  const states = await statesOf(deps, call, place.id);
  const runs =
    pids.length > 0 || place.monitors.length > 0 || states.some(({ status }) => status !== 'stopped');
  return { place, cgroup, pids, runs };
}

/** @param isInUse whether it may not be taken away without being asked to */
function describe(deps: StraysDeps, { place, cgroup, pids }: Stray, isInUse: boolean): Finding {
  const { id, paths, monitors } = place;
  const what = [
    ...paths,
    ...monitors.map(({ pid }) => `monitor ${pid}`),
    ...pids.map((pid) => `process ${pid}`),
  ];
  return {
    kind: isInUse ? 'stray_process' : 'stray_files',
    subject: id,
    problem: `no pod or container has this id, and there is: ${what.join(', ')}`,
    advice: isInUse
      ? 'see what it is with ps; davitctl doctor --repair ends and removes it'
      : 'nothing: it is removed',
    repair: { isSafe: !isInUse, run: (caller) => removeStray(deps, caller, place, cgroup) },
  };
}

async function statesOf({ handlers, cli }: StraysDeps, call: Call, id: string) {
  const found = [];
  for (const handler of handlers()) {
    const isThereToo = await stat(join(handler.root, id)).then(Boolean, () => false);
    const state = isThereToo ? await cli.state(call, handler, id).catch(() => undefined) : undefined;
    if (state !== undefined) found.push({ handler, status: state.status });
  }
  return found;
}

/** In the order in which one thing holds another. */
async function removeStray(
  deps: StraysDeps,
  call: Call,
  { id, paths, monitors }: Place,
  cgroup: string | undefined,
): Promise<void> {
  for (const { handler } of await statesOf(deps, call, id))
    await deps.cli.delete(call, handler, id, { force: true });
  for (const monitor of monitors) await signal(monitor, 'SIGKILL');
  if (cgroup !== undefined) {
    await deps.cgroups.killAll(call, cgroup);
    await deps.cgroups.remove(cgroup);
  }
  for (const path of paths) {
    const mounts = await mountsUnder(path);
    for (const { target } of mounts.toReversed()) unmount(target);
    await removeTree(path);
  }
}

const bundleSchema = z.object({ linux: z.object({ cgroupsPath: z.string() }) });

/** As the bundle has it; with systemd the name is another, and systemd removes an empty one by itself. */
async function findCgroup(runDir: string, id: string): Promise<string | undefined> {
  try {
    const text = await readFile(join(runDir, 'containers', id, 'config.json'), 'utf8');
    const { cgroupsPath } = bundleSchema.parse(JSON.parse(text)).linux;
    return cgroupsPath.startsWith('/') && cgroupsPath.endsWith(`/${id}`) ? cgroupsPath : undefined;
  } catch {
    return undefined; // there is no bundle, or none that says it
  }
}
