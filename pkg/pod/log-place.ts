// Where a container's log is. A pod that mounts its own log directory can put links there: followed, they would
// let the monitor, which is root, write to any file of the node.

import type { Stats } from 'node:fs';
import { lstat, mkdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from '../sys/errno.ts';

/**
 * Makes the directories of a log. A kubelet makes them before; people with crictl do not.
 *
 * @param directory the pod's; it may lie behind links, as it is the kubelet's word
 * @param path below it
 * @throws {Fault} failed_precondition — something below `directory` is a link, or no directory
 */
export async function makeLogPlace(directory: string, path: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  let place = directory;
  for (const name of relative(directory, dirname(path)).split('/').filter(Boolean)) {
    place = join(place, name);
    await makeDirectory(place);
  }
  await checkLogFile(path);
}

/** Before a log is opened anew. @throws {Fault} failed_precondition — it is no ordinary file */
export async function checkLogFile(path: string): Promise<void> {
  const found = await lstatIfThere(path);
  if (found === undefined || found.isFile()) return;
  throw new Fault('failed_precondition', `cannot write the log "${path}": it is not an ordinary file`);
}

async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o755 });
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    if ((await lstat(path)).isDirectory()) return;
    throw new Fault('failed_precondition', `cannot write logs in "${path}": it is not a directory`);
  }
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
