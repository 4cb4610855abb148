// Deletes directory trees. It works on a private copy of the mount that the tree is on, in which nothing is
// mounted below: so it cannot reach into another filesystem, whatever is or becomes mounted in the tree.

import { closeSync } from 'node:fs';
import { lstat, readdir, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';
import { openTreeClone } from './libc/mount.ts';
import { spawn } from './spawn.ts';

/** Up to here we delete the files ourselves; for more a process of its own is worth its start. */
const MAX_ENTRIES = 256;
const MAX_DEPTH = 32;

/**
 * Deletes `path` and everything in it; that it is not there is fine.
 *
 * @param path absolute; symbolic links in it are followed, except the last name
 * @throws {ErrnoError} EBUSY — something is mounted there or below; what is mounted is not touched
 */
export async function removeTree(path: string): Promise<void> {
  const isDirectory = await isRealDirectory(path);
  if (isDirectory === undefined) return;
  if (!isDirectory) {
    await unlink(path).catch(ignoreMissing);
    return;
  }
  const parentFd = openTreeClone(dirname(path));
  try {
    const own = Buffer.from(`/proc/self/fd/${parentFd}/${basename(path)}`);
    const small = await removeSmall(own, 0, { left: MAX_ENTRIES });
    if (!small) await removeBig(parentFd, basename(path));
  } finally {
    closeSync(parentFd);
  }
}

/** @returns `false` if there was too much, which then is still there in part */
async function removeSmall(dir: Buffer, depth: number, budget: { left: number }): Promise<boolean> {
  if (depth > MAX_DEPTH) return false;
  const entries = await readdir(dir, { withFileTypes: true, encoding: 'buffer' }); // names need not be UTF-8
  budget.left -= entries.length;
  if (budget.left < 0) return false;
  for (const entry of entries) {
    const path = Buffer.concat([dir, Buffer.from('/'), entry.name]);
    if (!entry.isDirectory()) await unlink(path).catch(ignoreMissing);
    else if (!(await removeSmall(path, depth + 1, budget))) return false;
  }
  await rmdir(dir).catch(ignoreMissing);
  return true;
}

async function removeBig(parentFd: number, name: string): Promise<void> {
  const child = spawn({
    file: '/bin/rm',
    args: ['-rf', '--one-file-system', '--', `/proc/self/fd/3/${name}`],
    fds: [{ childFd: 3, fd: parentFd }],
    stderr: 'pipe',
  });
  const problems: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => problems.push(chunk));
  const exit = await child.exited;
  if (exit.kind === 'exited' && exit.code === 0) return;
  const [first = ''] = Buffer.concat(problems).toString().split('\n', 1);
  throw new Fault('internal', `cannot delete "${name}": ${first}`, { detail: { name } });
}

async function isRealDirectory(path: string): Promise<boolean | undefined> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    ignoreMissing(error);
    return undefined;
  }
}

function ignoreMissing(error: unknown): void {
  if (!isErrno(error, 'ENOENT')) throw error;
}
