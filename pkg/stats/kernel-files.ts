// Reading the small files in which the kernel counts. It is synchronous, since ten times the processor time goes
// into asking Node's thread pool; so only the worker uses it.
/* eslint-disable no-restricted-syntax -- see above: nothing here runs on the main thread */

import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { isErrno } from '../sys/errno.ts';

/** Of all these, `undefined` means that what the file is about is not there, or is not counted. */
export interface KernelFiles {
  read(path: string): string | undefined;
  /** What is in a directory. */
  names(path: string): string[] | undefined;
  /** Where a symbolic link leads. */
  link(path: string): string | undefined;
  /** What stat(2) says: of `/proc/<pid>/fd` the number of files, since Linux 6.2; 0 before. */
  size(path: string): number | undefined;
  /** Groups below a group. */
  subgroups(path: string): string[];
}

export const kernelFiles: KernelFiles = {
  read: (path) => ifThere(() => readFileSync(path, 'utf8')),
  names: (path) => ifThere(() => readdirSync(path)),
  link: (path) => ifThere(() => readlinkSync(path)),
  size: (path) => ifThere(() => statSync(path).size),
  subgroups: (path) => ifThere(() => listSubgroups(path)) ?? [],
};

/** A directory of cgroupfs has two links and one for each directory in it, and mostly there is none. */
function listSubgroups(path: string): string[] {
  if (lstatSync(path).nlink <= 2) return [];
  const entries = readdirSync(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** ENODEV: the group goes while it is read. ESRCH: the process does. EOPNOTSUPP: the file is not for this group. */
const ABSENT = ['ENOENT', 'ENODEV', 'ESRCH', 'ENOTDIR', 'ENOTSUP', 'EOPNOTSUPP'];

function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isErrno(error, ...ABSENT)) return undefined;
    throw error;
  }
}
