// Mounts that show the ids on disk as those of a user namespace: root's files are those of its root. We make them
// ourselves and a runtime binds them as any other directory, so that it need not know how.

import { closeSync, constants, openSync } from 'node:fs';
import { isErrno } from './errno.ts';
import { attachTree, openTreeClone, setTreeIdmap } from './libc/mount.ts';
import { unmount } from './mount.ts';

export interface IdmappedMountOptions {
  readonly source: string;
  /** It exists and is of the same kind, file or directory. */
  readonly target: string;
  /** Path of a pinned user namespace. */
  readonly userNamespace: string;
  readonly readonly?: boolean;
}

/**
 * Makes `source` appear at `target` with its ids mapped. It follows what is mounted and unmounted below `source`.
 * Mounts below it are mapped too, unless one of them cannot be: then none of those.
 *
 * @throws {ErrnoError} EINVAL, EPERM — see `cannotMap()`; others as open_tree(2) has them
 */
export function mountIdmapped(options: IdmappedMountOptions): void {
  try {
    mountMapped(options, true);
  } catch (error) {
    if (!cannotMap(error)) throw error;
    mountMapped(options, false);
  }
}

/** Whether the file system cannot map ids (EINVAL), or they are mapped already (EPERM). Source: mount_setattr(2). */
export function cannotMap(error: unknown): boolean {
  return isErrno(error, 'EINVAL', 'EPERM');
}

function mountMapped(
  { source, target, userNamespace, readonly = false }: IdmappedMountOptions,
  all: boolean,
): void {
  unmount(target);
  const userNamespaceFd = openSync(userNamespace, constants.O_RDONLY);
  try {
    const treeFd = openTreeClone(source, true);
    try {
      setTreeIdmap(treeFd, { userNamespaceFd, readonly, recursive: all });
      attachTree(treeFd, target);
    } finally {
      closeSync(treeFd);
    }
  } finally {
    closeSync(userNamespaceFd);
  }
}
