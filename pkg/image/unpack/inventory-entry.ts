// What an inventory says of one file of a layer: all that a container could notice, and a checksum in the place of
// the content. It is told by the file system, not by the tar: what the file system cannot keep, such as a time out
// of its range, is no damage later.
// Paths begin at the root of the layer, which is that of the thread; they have one character per byte.

import * as fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { isErrno } from '../../sys/errno.ts';
import { lgetxattr } from '../../sys/libc/file.ts';
import { toBytes } from './entry-path.ts';

export interface FileEntry {
  readonly path: string;
  /** Its type too, as in stat(2). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  /** Of a regular file, with the checksum of its content. */
  readonly size?: number;
  readonly crc?: number;
  /** Of a device; 0 is a whiteout. */
  readonly device?: number;
  /** Of a symbolic link. */
  readonly target?: string;
  /** Extended attributes that came with it, and a checksum of each. */
  readonly xattrs?: Readonly<Record<string, number>>;
}

export type InventoryEntry =
  | FileEntry
  /** The same file as another path. */
  | { readonly path: string; readonly sameAs: string }
  /** A directory that the tar does not list: its attributes are those of the layers below. */
  | { readonly path: string; readonly implied: true; readonly isOpaque: boolean };

const READ_BYTES = 256 * 1024;
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

/**
 * @param crc of its content, if that is known or wanted
 * @param xattrs names of extended attributes, one character per byte
 */
export function describeFile(
  path: string,
  { crc, xattrs }: { readonly crc?: number | undefined; readonly xattrs: readonly string[] },
): FileEntry {
  const stats = fs.lstatSync(toBytes(path));
  const { mode, uid, gid, mtimeMs } = stats;
  return {
    path,
    mode,
    uid,
    gid,
    mtimeMs,
    ...(stats.isFile() && { size: stats.size, ...(crc !== undefined && { crc }) }),
    ...((stats.isCharacterDevice() || stats.isBlockDevice()) && { device: stats.rdev }),
    ...(stats.isSymbolicLink() && { target: fs.readlinkSync(toBytes(path), 'latin1') }),
    ...(xattrs.length > 0 && { xattrs: describeXattrs(path, xattrs) }),
  };
}

/** Of a regular file; nothing else is opened. */
export function checksumOf(path: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(toBytes(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    let crc = 0;
    for (;;) {
      const count = fs.readSync(fd, readBuffer, 0, READ_BYTES, null);
      if (count === 0) return crc;
      crc = crc32(readBuffer.subarray(0, count), crc);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** One that is not there is left out: some file systems do not take all. */
function describeXattrs(path: string, names: readonly string[]): Record<string, number> {
  const found: Record<string, number> = Object.create(null) as Record<string, number>; // names may be anything
  for (const name of names) {
    try {
      found[name] = crc32(lgetxattr(toBytes(path), toBytes(name)));
    } catch (error) {
      if (!isErrno(error, 'ENODATA', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
    }
  }
  return found;
}
