// Mounts.

import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_CLOEXEC } from './flags.ts';
import { check, cString, libc, type C, type Pointer } from './load.ts';

export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_BIND = 4096;
export const MS_REC = 16384;
export const MS_PRIVATE = 1 << 18;
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;

const cMount = libc.func(
  'int mount(const void *source, const void *target, const void *type, unsigned long flags, const void *data)',
) as C<[Pointer, Pointer, Pointer, number, Pointer]>;
const cUmount2 = libc.func('int umount2(const void *target, int flags)') as C<[Pointer, number]>;
const cOpenTree = libc.func('syscall', 'long', ['long', 'int', 'void *', 'uint']) as C<
  [number, number, Pointer, number]
>;
const cMountSetattr = libc.func('syscall', 'long', [
  'long',
  'int',
  'void *',
  'uint',
  'void *',
  'size_t',
]) as C<[number, number, Pointer, number, Pointer, number]>;
const cMoveMount = libc.func('syscall', 'long', ['long', 'int', 'void *', 'int', 'void *', 'uint']) as C<
  [number, number, Pointer, number, Pointer, number]
>;

export interface MountArguments {
  readonly source: string;
  readonly target: string;
  readonly type?: string;
  readonly flags: number;
  readonly data?: string;
}

/** Source: mount(2). */
export function mount({ source, target, type, flags, data }: MountArguments): void {
  const cType = type === undefined ? null : cString(type, 'mount');
  const cData = data === undefined ? null : cString(data, 'mount');
  check(cMount(cString(source, 'mount'), cString(target, 'mount'), cType, flags, cData), 'mount', target);
}

/** Source: umount(2). */
export function umount2(target: string, flags: number): void {
  check(cUmount2(cString(target, 'umount2'), flags), 'umount2', target);
}

const SYS_OPEN_TREE = 428; // from 424 on, numbers are the same on every architecture
const OPEN_TREE_CLONE = 1;

/**
 * A descriptor of a copy of the mount that `path` is on, seen from `path`, with the mounts below it if `recursive`.
 * Source: open_tree(2).
 */
export function openTreeClone(path: string, recursive = false): number {
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  return check(cOpenTree(SYS_OPEN_TREE, AT_FDCWD, cString(path, 'open_tree'), flags), 'open_tree', path);
}

const SYS_MOVE_MOUNT = 429;
const MOVE_MOUNT_F_EMPTY_PATH = 4;

/** Attaches what `openTreeClone()` has copied; the descriptor may be closed then. Source: move_mount(2). */
export function attachTree(treeFd: number, target: string): void {
  const [from, to] = [cString('', 'move_mount'), cString(target, 'move_mount')];
  const result = cMoveMount(SYS_MOVE_MOUNT, treeFd, from, AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH);
  check(result, 'move_mount', target);
}

const SYS_MOUNT_SETATTR = 442;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_IDMAP = 0x100000;
const MS_SLAVE = 1 << 19;

export interface IdmapAttributes {
  /** What it maps an id to is shown for that id on disk. */
  readonly userNamespaceFd: number;
  readonly readonly: boolean;
  /** Also the mounts below it. */
  readonly recursive: boolean;
}

/**
 * Maps the ids of what `openTreeClone()` has copied, which then follows what is mounted on its original.
 *
 * @throws {ErrnoError} EINVAL — a file system in it cannot do that. Source: mount_setattr(2).
 */
export function setTreeIdmap(
  treeFd: number,
  { userNamespaceFd, readonly, recursive }: IdmapAttributes,
): void {
  const attributes = Buffer.alloc(32); // struct mount_attr: attr_set, attr_clr, propagation, userns_fd
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_IDMAP | (readonly ? MOUNT_ATTR_RDONLY : 0)), 0);
  attributes.writeBigUInt64LE(BigInt(MS_SLAVE), 16);
  attributes.writeBigUInt64LE(BigInt(userNamespaceFd), 24);
  const flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
  const here = cString('', 'mount_setattr');
  check(
    cMountSetattr(SYS_MOUNT_SETATTR, treeFd, here, flags, attributes, attributes.length),
    'mount_setattr',
  );
}

/** Makes the mount at `target` read-only, and those below it if `recursive`. Source: mount_setattr(2). */
export function setMountReadonly(target: string, recursive: boolean): void {
  const attributes = Buffer.alloc(32); // struct mount_attr: attr_set, attr_clr, propagation, userns_fd
  attributes.writeBigUInt64LE(BigInt(MOUNT_ATTR_RDONLY), 0);
  const flags = AT_SYMLINK_NOFOLLOW | (recursive ? AT_RECURSIVE : 0);
  const cTarget = cString(target, 'mount_setattr');
  check(
    cMountSetattr(SYS_MOUNT_SETATTR, AT_FDCWD, cTarget, flags, attributes, attributes.length),
    'mount_setattr',
    target,
  );
}
