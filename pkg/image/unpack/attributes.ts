// Owner, mode, extended attributes and times of a file just made, in the order in which they do not undo each
// other: a change of owner clears set-user-id bits and capabilities.

import { chmodSync, fchmodSync, fchownSync, lchownSync } from 'node:fs';
import { isErrno } from '../../sys/errno.ts';
import { llistxattr, lsetxattr, lutimes } from '../../sys/libc/file.ts';
import { toBytes } from './entry-path.ts';
import { badEntry } from './tar-fault.ts';

export interface Attributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  /** Name and value, one character per byte. */
  readonly xattrs: readonly (readonly [name: string, value: string])[];
}

/** @param path below the root of this thread, one character per byte */
export function setAttributes(path: string, isSymlink: boolean, attributes: Attributes): void {
  const bytes = toBytes(path);
  lchownSync(bytes, attributes.uid, attributes.gid);
  if (!isSymlink) chmodSync(bytes, attributes.mode); // links have no mode
  for (const [name, value] of attributes.xattrs) setXattr(path, bytes, name, value);
  setTimes(path, attributes.mtimeNs);
}

/** Of an open file, which spares looking its path up. Its times are for when it is closed. */
export function setFileAttributes(fd: number, path: string, attributes: Attributes): void {
  fchownSync(fd, attributes.uid, attributes.gid);
  fchmodSync(fd, attributes.mode);
  for (const [name, value] of attributes.xattrs) setXattr(path, toBytes(path), name, value);
}

export function setTimes(path: string, mtimeNs: bigint): void {
  lutimes(toBytes(path), mtimeNs, mtimeNs);
}

/** Those of overlayfs steer what a container sees of other layers: they are ours to set. */
const OVERLAY = /^(?:trusted|user)\.overlay\./;

function setXattr(path: string, bytes: Buffer, name: string, value: string): void {
  if (OVERLAY.test(name)) return;
  try {
    lsetxattr(bytes, toBytes(name), toBytes(value));
  } catch (error) {
    // A security module that is off, or a user attribute on what cannot have one.
    if (isErrno(error, 'ENOTSUP', 'EOPNOTSUPP') || (name.startsWith('user.') && isErrno(error, 'EPERM')))
      return;
    if (isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
    throw badEntry(path, `cannot set its attribute ${JSON.stringify(name)}`, 'data_loss', error);
  }
}

const OPAQUE = 'trusted.overlay.opaque';

/** Lets nothing of lower layers show in the directory. */
export function setOpaque(path: string): void {
  lsetxattr(toBytes(path), OPAQUE, Buffer.from('y'));
}

export function isOpaque(path: string): boolean {
  return llistxattr(toBytes(path)).includes(OPAQUE);
}
