// Everything that can be seen of a tree of files, to compare two of them.

import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync, type BigIntStats } from 'node:fs';
import { lgetxattr, llistxattr } from '../../sys/libc/file.ts';

export interface SeenFile {
  readonly type: string;
  readonly mode: string;
  readonly owner: string;
  readonly mtimeNs?: bigint;
  readonly device?: bigint;
  /** Of files: digest of what is in it, and the first path with the same inode. */
  readonly content?: string;
  readonly linkedTo?: string;
  readonly target?: string;
  readonly xattrs: readonly string[];
}

/** By path, with a character per byte: `/etc/passwd`; the root is `/`. */
export function listTree(root: string): Record<string, SeenFile> {
  const seen: Record<string, SeenFile> = {};
  const inodes = new Map<bigint, string>();
  const visit = (path: string) => {
    const bytes = Buffer.from(root + path, 'latin1');
    const stats = lstatSync(bytes, { bigint: true });
    const linkedTo = inodes.get(stats.ino);
    inodes.set(stats.ino, path);
    seen[path || '/'] = see(bytes, stats, linkedTo);
    if (!stats.isDirectory()) return;
    for (const name of readdirSync(bytes, 'latin1').sort()) visit(`${path}/${name}`);
  };
  visit('');
  return seen;
}

function see(bytes: Buffer, stats: BigIntStats, linkedTo: string | undefined): SeenFile {
  const isFile = stats.isFile();
  return {
    type: (Number(stats.mode) & 0o170000).toString(8),
    mode: (Number(stats.mode) & 0o7777).toString(8),
    owner: `${stats.uid}:${stats.gid}`,
    mtimeNs: stats.mtimeNs,
    xattrs: llistxattr(bytes)
      .sort()
      .map((name) => `${name}=${lgetxattr(bytes, name).toString('base64')}`),
    ...(isFile && { content: createHash('sha256').update(readFileSync(bytes)).digest('hex') }),
    ...(linkedTo !== undefined && !stats.isDirectory() && { linkedTo }),
    ...(stats.isSymbolicLink() && { target: readlinkSync(bytes, 'latin1') }),
    ...((stats.isCharacterDevice() || stats.isBlockDevice()) && { device: stats.rdev }),
  };
}
