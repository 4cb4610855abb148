// Volumes that an image declares of its own paths. Each is a directory beside the writable layer of the container,
// with what the image has at the path; it goes with the layer.

import { lstat, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';
import { stage } from '../base/timeline.ts';
import { isErrno } from '../sys/errno.ts';
import { exec } from '../sys/exec.ts';
import { removeTree, resolveInRoot } from '../sys/files.ts';
import { checkContainerId } from './container-id.ts';
import { explainDisk } from './disk-fault.ts';

/** cp(1) keeps owners, times, links and attributes, and does not follow links. */
const CP = '/bin/cp';

export class DeclaredVolumes {
  readonly #snapshots: string;

  /** @param root of the daemon's images */
  constructor(root: string) {
    this.#snapshots = join(root, 'snapshots');
  }

  /**
   * Makes them. It may be repeated: what the container wrote is still there.
   *
   * @param rootfs of the container, which does not run yet
   * @param paths in the container
   * @returns where each is on the host; `undefined` for one that is no directory in the image, which stays as it is
   * @throws {Fault} resource_exhausted — the disk is full
   */
  async make(
    call: Call,
    id: ContainerId,
    { rootfs, paths }: { readonly rootfs: string; readonly paths: readonly string[] },
  ): Promise<(string | undefined)[]> {
    if (paths.length === 0) return [];
    using _stage = stage(call, 'fill volumes of the image');
    const dir = join(this.#snapshots, checkContainerId(id), 'volumes');
    const made: (string | undefined)[] = [];
    for (const [index, path] of paths.entries()) {
      try {
        made.push(await makeVolume(call, { rootfs, path, target: join(dir, String(index)) }));
      } catch (error) {
        throw explainDisk(error, `make volume "${path}" of container "${id}"`);
      }
    }
    return made;
  }
}

interface Wanted {
  readonly rootfs: string;
  readonly path: string;
  readonly target: string;
}

async function makeVolume(call: Call, { rootfs, path, target }: Wanted): Promise<string | undefined> {
  const source = findDirectory(rootfs, path);
  const found = source === undefined ? undefined : await lstat(source);
  if (found?.isDirectory() === false) return undefined;
  if (await isThere(target)) return target;
  const unfinished = `${target}.new`;
  await removeTree(unfinished); // of an earlier try
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await mkdir(unfinished, { mode: 0o755 });
  if (source !== undefined)
    await exec(call, { file: CP, args: ['-a', '--reflink=auto', '--', `${source}/.`, unfinished] });
  await rename(unfinished, target);
  return target;
}

/** The image's links lead nowhere but into the image. */
function findDirectory(rootfs: string, path: string): string | undefined {
  try {
    return resolveInRoot(rootfs, path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (isErrno(error, 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL'))
      throw new Fault('invalid_argument', `the image declares a volume at "${path}", which cannot be`, {
        cause: error,
      });
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
