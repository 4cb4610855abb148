// Files and directories: written so that a crash leaves the old or the new, looked up so that a hostile root
// filesystem cannot lead outside itself.

import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { chmod, lstat, mkdir, open, readFile, rename, rm, statfs } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { dirname } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';
import { O_PATH, openat2, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, syncfsInBackground } from './libc/file.ts';

export { removeTree } from './remove-tree.ts';

/** Makes the directory, and those above it, if missing; its mode is `mode` then, whatever the umask. */
export async function ensureDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true, mode });
  await chmod(path, mode);
}

/** Whether there is something of this name; what cannot be looked at for another reason is an error. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Replaces the file, or makes it: after a crash it is the old one or the new one, and on disk when this returns. */
export async function writeFileAtomic(path: string, data: string | Buffer, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeSynced(temporary, data, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

async function writeSynced(path: string, data: string | Buffer, mode: number): Promise<void> {
  await using file = await open(path, 'wx', mode);
  await file.chmod(mode); // whatever the umask
  await file.writeFile(data);
  await file.sync();
}

/** Makes sure that the names in a directory are on disk. */
export async function syncDirectory(path: string): Promise<void> {
  await using dir = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await dir.sync();
}

/** The text of a file of ours, or `undefined` if there is none. */
export async function readTextIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/**
 * Where `path` leads for a process whose root is `root`.
 *
 * @returns an absolute path on the host, inside `root`
 * @throws {ErrnoError} ENOENT, ELOOP, ENOTDIR — it leads nowhere. Source: openat2(2).
 */
export function resolveInRoot(root: string, path: string): string {
  const fd = openInRoot(root, path, O_PATH);
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** As `resolveInRoot()`, but opens what is there. @returns a descriptor, which the caller closes */
export function openInRoot(root: string, path: string, flags: number): number {
  const rootFd = openSync(root, O_PATH | constants.O_DIRECTORY);
  try {
    return openat2(rootFd, path, { flags, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS });
  } finally {
    closeSync(rootFd);
  }
}

/**
 * The text of a file of a hostile root filesystem, or `undefined` if there is none.
 *
 * @param limitBytes what no honest file exceeds
 * @throws {Fault} failed_precondition — it is not a regular file, or exceeds the limit
 */
export function readTextInRoot(root: string, path: string, limitBytes: number): string | undefined {
  const fd = openIfExists(root, path);
  if (fd === undefined) return undefined;
  try {
    if (!fstatSync(fd).isFile()) throw new Fault('failed_precondition', `"${path}" is not a regular file`);
    const buffer = Buffer.alloc(limitBytes + 1);
    const size = readFully(fd, buffer);
    if (size > limitBytes) throw new Fault('failed_precondition', `"${path}" exceeds ${limitBytes} bytes`);
    return buffer.toString('utf8', 0, size);
  } finally {
    closeSync(fd);
  }
}

function openIfExists(root: string, path: string): number | undefined {
  try {
    return openInRoot(root, path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

function readFully(fd: number, buffer: Buffer): number {
  let size = 0;
  for (;;) {
    const count = readSync(fd, buffer, size, buffer.length - size, null);
    size += count;
    if (count === 0 || size === buffer.length) return size;
  }
}

/** How full a filesystem is. */
export interface FsUsage {
  readonly sizeBytes: bigint;
  readonly usedBytes: bigint;
  /** For those without privileges: some is kept back for root. */
  readonly availableBytes: bigint;
  readonly inodes: bigint;
  readonly inodesUsed: bigint;
}

/** Of the filesystem that `path` is on. Source: statfs(2). */
export async function fsUsage(path: string): Promise<FsUsage> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path, { bigint: true });
  return {
    sizeBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    availableBytes: bavail * bsize,
    inodes: files,
    inodesUsed: files - ffree,
  };
}

/** What the filesystem that `path` is on can still take. */
export async function freeBytes(path: string): Promise<bigint> {
  return (await fsUsage(path)).availableBytes;
}

/** Writes out the whole filesystem that `path` is on, off the main thread. */
export async function syncFs(path: string): Promise<void> {
  await using file = await open(path, constants.O_RDONLY);
  await syncfsInBackground(file.fd);
}
