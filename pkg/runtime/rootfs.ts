// What of an image's root file system no runtime may be given.

import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from '../sys/errno.ts';

/**
 * Where runtimes make something themselves while the root of the node is still theirs. runc follows a link there: it
 * deletes `ptmx` and makes links in whatever directory of the node an image names as its /dev.
 */
const MADE_BY_RUNTIMES = ['dev', 'proc', 'sys'];

/** @throws {Fault} failed_precondition — one of them is there, and no directory */
export async function checkRootfs(rootfs: string): Promise<void> {
  for (const name of MADE_BY_RUNTIMES) {
    if (await isMissingOrDirectory(join(rootfs, name))) continue;
    throw new Fault('failed_precondition', `the image's "/${name}" is not a directory`);
  }
}

async function isMissingOrDirectory(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}
