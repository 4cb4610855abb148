// Where a path leads for a process whose root is a directory of ours, when it need not be there yet.

import { readlink } from 'node:fs/promises';
import { constants } from 'node:os';
import { join, posix } from 'node:path';
import { ErrnoError, isErrno } from './errno.ts';

/** As the kernel has it. Source: path_resolution(7). */
const MAX_LINKS = 40;

/**
 * Follows the links of `path`; what is not there is taken as it stands.
 *
 * @param toHost where on the host a path without links is, `undefined` for one whose links are not to be followed
 * @returns an absolute path without links, as the process would name it
 * @throws {ErrnoError} ELOOP — too many links
 */
export async function followLinks(
  path: string,
  toHost: (inside: string) => string | undefined,
): Promise<string> {
  let rest = partsOf(path);
  let current = '/';
  for (let links = 0; rest.length > 0;) {
    const [part = '', ...others] = rest;
    const next = posix.join(current, part);
    const target = part === '..' ? undefined : await findTarget(toHost(next));
    if (target === undefined) [current, rest] = [next, others];
    else {
      if ((links += 1) > MAX_LINKS) throw new ErrnoError(constants.errno.ELOOP, 'readlink', path);
      if (target.startsWith('/')) current = '/';
      rest = [...partsOf(target), ...others];
    }
  }
  return current;
}

/** As `followLinks()`, for a process whose root is `root`, in which nothing is mounted. */
export function followLinksInRoot(root: string, path: string): Promise<string> {
  return followLinks(path, (inside) => join(root, inside));
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

async function findTarget(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readlink(path);
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR')) return undefined; // no link, or nothing
    throw error;
  }
}
