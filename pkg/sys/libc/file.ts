// Files: opening, locking, attributes, devices.

import { ErrnoError } from '../errno.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_CLOEXEC } from './flags.ts';
import { check, cString, libc, type C, type Path, type Pointer } from './load.ts';

export const RESOLVE_NO_XDEV = 1;
export const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 16;
export const O_PATH = 0o10000000;

const cMknod = libc.func('int mknod(const void *path, uint mode, uint64_t device)') as C<
  [Pointer, number, bigint]
>;
const cLsetxattr = libc.func(
  'int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
) as C<[Pointer, Pointer, Pointer, number, number]>;
const cSetxattr = libc.func(
  'int setxattr(const void *path, const void *name, const void *value, size_t size, int flags)',
) as C<[Pointer, Pointer, Pointer, number, number]>;
const cLgetxattr = libc.func(
  'long lgetxattr(const void *path, const void *name, void *value, size_t size)',
) as C<[Pointer, Pointer, Pointer, number]>;
const cGetxattr = libc.func(
  'long getxattr(const void *path, const void *name, void *value, size_t size)',
) as C<[Pointer, Pointer, Pointer, number]>;
const cLlistxattr = libc.func('long llistxattr(const void *path, void *list, size_t size)') as C<
  [Pointer, Pointer, number]
>;
const cUtimensat = libc.func('int utimensat(int fd, const void *path, const void *times, int flags)') as C<
  [number, Pointer, Pointer, number]
>;
const cOpenat2 = libc.func('syscall', 'long', ['long', 'int', 'void *', 'void *', 'size_t']) as C<
  [number, number, Pointer, Pointer, number]
>;
const cSyncfs = libc.func('int syncfs(int fd)') as C<[number]>;
const cFlock = libc.func('int flock(int fd, int operation)') as C<[number, number]>;

/** The kernel's number of a device; 0:0 is that of a whiteout. Source: makedev(3). */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (
    ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
  );
}

/** @param mode the file's type (S_IFCHR…) and permissions; the umask applies. Source: mknod(2). */
export function mknod(path: Path, mode: number, device: bigint): void {
  check(cMknod(cString(path, 'mknod'), mode, device), 'mknod', path);
}

/** Sets an extended attribute, of a symbolic link itself if it is one. Source: setxattr(2). */
export function lsetxattr(path: Path, name: Path, value: Buffer): void {
  const cName = cString(name, 'lsetxattr');
  check(cLsetxattr(cString(path, 'lsetxattr'), cName, value, value.length, 0), 'lsetxattr', path);
}

/** As `lsetxattr()`, but follows a link: a descriptor in /proc is one. */
export function setxattr(path: Path, name: Path, value: Buffer): void {
  const cName = cString(name, 'setxattr');
  check(cSetxattr(cString(path, 'setxattr'), cName, value, value.length, 0), 'setxattr', path);
}

/** @throws {ErrnoError} ENODATA — it has no such attribute. Source: getxattr(2). */
export function lgetxattr(path: Path, name: Path): Buffer {
  const [cPath, cName] = [cString(path, 'lgetxattr'), cString(name, 'lgetxattr')];
  return readAll((buffer) => check(cLgetxattr(cPath, cName, buffer, buffer.length), 'lgetxattr', path));
}

/** As `lgetxattr()`, but follows a link. */
export function getxattr(path: Path, name: Path): Buffer {
  const [cPath, cName] = [cString(path, 'getxattr'), cString(name, 'getxattr')];
  return readAll((buffer) => check(cGetxattr(cPath, cName, buffer, buffer.length), 'getxattr', path));
}

/** The names of its extended attributes. Source: listxattr(2). */
export function llistxattr(path: Path): string[] {
  const cPath = cString(path, 'llistxattr');
  const names = readAll((buffer) => check(cLlistxattr(cPath, buffer, buffer.length), 'llistxattr', path));
  return names.toString().split('\0').filter(Boolean);
}

/** What fits no value or list: the kernel's limit for one is 64 KiB. */
const XATTR_MAX_BYTES = 65_536;

function readAll(read: (buffer: Buffer) => number): Buffer {
  const buffer = Buffer.allocUnsafe(XATTR_MAX_BYTES);
  return Buffer.from(buffer.subarray(0, read(buffer)));
}

/** Sets both times to the nanosecond, of a symbolic link itself if it is one. Source: utimensat(2). */
export function lutimes(path: Path, atimeNs: bigint, mtimeNs: bigint): void {
  const times = Buffer.alloc(32); // struct timespec[2]: seconds, nanoseconds
  [atimeNs, mtimeNs].forEach((timeNs, index) => {
    const ns = BigInt.asUintN(64, ((timeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
    times.writeBigInt64LE((timeNs - ns) / 1_000_000_000n, index * 16);
    times.writeBigInt64LE(ns, index * 16 + 8);
  });
  const result = cUtimensat(AT_FDCWD, cString(path, 'utimensat'), times, AT_SYMLINK_NOFOLLOW);
  check(result, 'utimensat', path);
}

const SYS_OPENAT2 = 437;

export interface OpenHow {
  /** O_…; O_CLOEXEC is added. */
  readonly flags: number;
  /** Only with O_CREAT. */
  readonly mode?: number;
  /** RESOLVE_… */
  readonly resolve: number;
}

/** @returns a descriptor. Source: openat2(2). */
export function openat2(dirFd: number, path: Path, how: OpenHow): number {
  const buffer = Buffer.alloc(24); // struct open_how: flags, mode, resolve
  buffer.writeBigUInt64LE(BigInt(how.flags | O_CLOEXEC), 0);
  buffer.writeBigUInt64LE(BigInt(how.mode ?? 0), 8);
  buffer.writeBigUInt64LE(BigInt(how.resolve), 16);
  const result = cOpenat2(SYS_OPENAT2, dirFd, cString(path, 'openat2'), buffer, buffer.length);
  return check(result, 'openat2', path);
}

/** Writes out the whole filesystem that the descriptor is on. It may take long: not on the main thread. */
export function syncfs(fd: number): void {
  check(cSyncfs(fd), 'syncfs');
}

/** As `syncfs()`, on a thread of its own; of a failure only that it failed is known. */
export async function syncfsInBackground(fd: number): Promise<void> {
  const call = (cSyncfs as C<[number]> & { async: KoffiAsync }).async;
  const result = await new Promise<number>((resolve, reject) => {
    call(fd, (error, value) => {
      if (error === null) resolve(value);
      else reject(error);
    });
  });
  if (result !== 0) throw new ErrnoError(5, 'syncfs');
}

type KoffiAsync = (fd: number, done: (error: Error | null, result: number) => void) => void;

const LOCK_EX = 2;
const LOCK_NB = 4;

/** @throws {ErrnoError} EAGAIN — another open file holds the lock. Source: flock(2). */
export function flockExclusive(fd: number): void {
  check(cFlock(fd, LOCK_EX | LOCK_NB), 'flock');
}
