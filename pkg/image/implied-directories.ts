// Directories that a layer uses and does not list (`etc/motd` without `etc/`). In the merged view the topmost
// layer's attributes count, so they must be those of the layers below.

import type { BigIntStats } from 'node:fs';
import { chmod, lchown, lstat } from 'node:fs/promises';
import { isErrno } from '../sys/errno.ts';
import { lgetxattr, llistxattr, lsetxattr, lutimes } from '../sys/libc/file.ts';

/**
 * @param paths of directories in `layer`, from its root, one character per byte: `/etc`. Some may lie behind
 *   symbolic links; these are left as they are
 * @param layer directory of the layer; nobody else changes it now
 * @param lower those of the layers below, the topmost first; they never change any more
 */
export async function inheritAttributes(
  paths: readonly string[],
  layer: string,
  lower: readonly string[],
): Promise<void> {
  for (const path of paths) {
    const to = await lookUp(layer, path);
    const from = await findDirectory(path, lower);
    if (to.directory !== undefined && from !== undefined) await copyAttributes(from, to.directory.path);
  }
}

interface Directory {
  readonly path: Buffer;
  readonly stats: BigIntStats;
}

async function findDirectory(path: string, layers: readonly string[]): Promise<Directory | undefined> {
  for (const layer of layers) {
    const { directory, hidesLower } = await lookUp(layer, path);
    if (directory !== undefined) return directory;
    if (hidesLower) return undefined;
  }
  return undefined;
}

interface LookUp {
  readonly directory?: Directory;
  /** Layers below do not show here: a whiteout, a file or an opaque directory is on the way. */
  readonly hidesLower: boolean;
}

/** Goes down one name at a time, so that no symbolic link is followed: it could lead out of the layer. */
async function lookUp(layer: string, path: string): Promise<LookUp> {
  let here: Directory = { path: Buffer.from(layer), stats: await lstat(layer, { bigint: true }) };
  let hidesLower = false;
  for (const name of path.split('/').filter(Boolean)) {
    hidesLower ||= llistxattr(here.path).includes('trusted.overlay.opaque');
    const next = Buffer.concat([here.path, Buffer.from(`/${name}`, 'latin1')]);
    const stats = await lstatIfThere(next);
    if (stats === undefined) return { hidesLower };
    if (!stats.isDirectory()) return { hidesLower: true };
    here = { path: next, stats };
  }
  return { directory: here, hidesLower };
}

async function copyAttributes({ path, stats }: Directory, to: Buffer): Promise<void> {
  await lchown(to, Number(stats.uid), Number(stats.gid));
  await chmod(to, Number(stats.mode) & 0o7777);
  for (const name of llistxattr(path)) {
    if (!name.startsWith('trusted.overlay.')) lsetxattr(to, name, lgetxattr(path, name));
  }
  lutimes(to, stats.atimeNs, stats.mtimeNs);
}

async function lstatIfThere(path: Buffer): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
