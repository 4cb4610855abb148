// Volumes that an image declares of its own paths. Each is a directory beside the writable layer of the container,
// with what the image has at the path; it goes with the layer. Or it is one in that layer.

import { lchown, lstat, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';
import { stage } from '../base/timeline.ts';
import { isErrno } from '../sys/errno.ts';
import { exec } from '../sys/exec.ts';
import { removeTree, resolveInRoot } from '../sys/files.ts';
import { followLinksInRoot } from '../sys/links-in-root.ts';
import { checkContainerId } from './container-id.ts';
import { explainDisk } from './disk-fault.ts';

/** cp(1) keeps owners, times, links and attributes, and does not follow links. */
const CP = '/bin/cp';

export interface VolumesRequest {
  /** Of the container, which does not run yet. */
  readonly rootfs: string;
  /** In the container. */
  readonly paths: readonly string[];
  /** Root of the container, on the host: the owner of what the image does not have. */
  readonly ownerId: number;
}

export class DeclaredVolumes {
  readonly #snapshots: string;

  /** @param root of the daemon's images */
  constructor(root: string) {
    this.#snapshots = join(root, 'snapshots');
  }

  /**
   * Makes them. It may be repeated: what the container wrote is still there.
   *
   * @returns where each is on the host; `undefined` for one that is no directory in the image, which stays as it is
   * @throws {Fault} resource_exhausted — the disk is full
   */
  async make(
    call: Call,
    id: ContainerId,
    { rootfs, paths, ownerId }: VolumesRequest,
  ): Promise<(string | undefined)[]> {
    if (paths.length === 0) return [];
    using _stage = stage(call, 'fill volumes of the image');
    const dir = join(this.#snapshots, checkContainerId(id), 'volumes');
    const made: (string | undefined)[] = [];
    for (const [index, path] of paths.entries()) {
      try {
        made.push(await makeVolume(call, { rootfs, path, ownerId, target: join(dir, String(index)) }));
      } catch (error) {
        throw explainDisk(error, `make volume "${path}" of container "${id}"`);
      }
    }
    return made;
  }
}

/**
 * Makes those directories that the image does not have, in the container's own layer. Its links lead nowhere but into
 * the image; what is there stays as it is.
 *
 * @throws {Fault} invalid_argument — one cannot be made; resource_exhausted — the disk is full
 */
export async function makeDirectories({ rootfs, paths, ownerId }: VolumesRequest): Promise<void> {
  for (const path of paths) {
    try {
      await makeDirectory(join(rootfs, await followLinksInRoot(rootfs, path)), ownerId);
    } catch (error) {
      throw explainDisk(explainPath(error, path), `make volume "${path}"`);
    }
  }
}

async function makeDirectory(path: string, ownerId: number): Promise<void> {
  if (await isThere(path)) return;
  await makeDirectory(dirname(path), ownerId);
  await mkdir(path, { mode: 0o755 });
  await lchown(path, ownerId, ownerId);
}

interface Wanted {
  readonly rootfs: string;
  readonly path: string;
  readonly ownerId: number;
  readonly target: string;
}

async function makeVolume(
  call: Call,
  { rootfs, path, ownerId, target }: Wanted,
): Promise<string | undefined> {
  const source = findDirectory(rootfs, path);
  const found = source === undefined ? undefined : await lstat(source);
  if (found?.isDirectory() === false) return undefined;
  if (await isThere(target)) return target;
  const unfinished = `${target}.new`;
  await removeTree(unfinished); // of an earlier try
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await mkdir(unfinished, { mode: 0o755 });
  await lchown(unfinished, ownerId, ownerId);
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
    throw explainPath(error, path);
  }
}

/** A path of an image that can be none is the image's fault. */
function explainPath(cause: unknown, path: string): unknown {
  if (!isErrno(cause, 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL')) return cause;
  return new Fault('invalid_argument', `the image declares a volume at "${path}", which cannot be`, {
    cause,
  });
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
