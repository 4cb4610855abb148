// Mounts and unmounts. Every function may be repeated: what was mounted at the target before is unmounted
// first. A target is a path of our own, since whatever is mounted there goes.

import { close, closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { isErrno } from './errno.ts';
import type { MountPoint } from './mountinfo.ts';
import * as libc from './libc/mount.ts';
import { O_PATH, RESOLVE_NO_XDEV, openat2 } from './libc/file.ts';

/**
 * Makes `source` appear at `target`, which exists and is of the same kind, file or directory.
 *
 * @throws {ErrnoError} ENOENT — one of the two is missing; others as mount(2) has them
 */
export function bindMount(
  source: string,
  target: string,
  options: { readonly recursive?: boolean; readonly readonly?: boolean } = {},
): void {
  const recursive = options.recursive ?? false;
  unmount(target);
  libc.mount({ source, target, flags: libc.MS_BIND | (recursive ? libc.MS_REC : 0) });
  if (options.readonly !== true) return;
  try {
    libc.setMountReadonly(target, recursive);
  } catch (error) {
    unmount(target);
    throw error;
  }
}

export interface OverlayOptions {
  /** The topmost first. */
  readonly lower: readonly string[];
  /** Where changes go; without it the result is read-only. */
  readonly upper?: string;
  /** An empty directory on the filesystem of `upper`. */
  readonly work?: string;
  /** An empty directory. */
  readonly target: string;
  /** Of every file in it, for SELinux. */
  readonly label?: string | undefined;
}

/** mount(2) takes one page of options, with the zero at the end. */
const MAX_OPTIONS_BYTES = 4095;

/** Mounts an overlay. Source: Documentation/filesystems/overlayfs.rst of Linux. */
export function mountOverlay({ lower: layers, upper, work, target, label }: OverlayOptions): void {
  const [only] = layers;
  const isSingle = upper === undefined && layers.length === 1 && only !== undefined;
  if (isSingle && label === undefined) {
    bindMount(only, target, { readonly: true }); // an overlay of one layer is refused
    return;
  }
  const lower = isSingle ? [only, target] : layers; // a bind mount takes no label; what is mounted on is empty
  const writable =
    upper === undefined ? '' : `,upperdir=${escapePath(upper)},workdir=${escapePath(work ?? '')}`;
  const toOptions = (names: readonly string[]) =>
    withLabel(`index=off,lowerdir=${names.join(':')}${writable}`, label);
  const mountWith = (data: string) => {
    libc.mount({ source: 'overlay', target, type: 'overlay', flags: 0, data });
  };
  unmount(target);
  const options = toOptions(lower.map(escapePath));
  if (Buffer.byteLength(options) <= MAX_OPTIONS_BYTES) mountWith(options);
  else {
    withShortNames(lower, (names) => {
      mountWith(toOptions(names));
    });
  }
}

/** Calls `body` with a short path for each directory, good while it runs. */
function withShortNames(dirs: readonly string[], body: (names: readonly string[]) => void): void {
  const fds: number[] = [];
  try {
    for (const dir of dirs) fds.push(openSync(dir, O_PATH | constants.O_DIRECTORY));
    body(fds.map((fd) => `/proc/self/fd/${fd}`));
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/**
 * Whether files in `dir` are seen through the mount: it is an overlay of it, or a bind mount. When in doubt it is:
 * an overlay of very many directories does not say which they are.
 *
 * @param dir on a filesystem of its own or below the root of one
 * @param aliases below which a directory of the same name may have been it, when the overlay was mounted
 */
export function isMadeOf(
  { fsType, root, superOptions }: MountPoint,
  dir: string,
  aliases: readonly string[] = [],
): boolean {
  if (fsType !== 'overlay') return root !== '/' && dir.endsWith(root);
  const lower = superOptions.join(',').split(/,(?=upperdir=|workdir=)/, 1)[0] ?? '';
  const names = lower.replace(/^.*?lowerdir=/, '').split(/(?<!\\):|,(?=[a-z_]+=)/);
  const isDir = (name: string) =>
    name === escapePath(dir) ||
    (basename(name) === escapePath(basename(dir)) &&
      aliases.some((above) => name.startsWith(`${escapePath(above)}/`)));
  return names.some((name) => isDir(name) || name.startsWith('/proc/self/fd/'));
}

function escapePath(path: string): string {
  return path.replaceAll(/[\\:,]/g, String.raw`\$&`);
}

/** Levels have commas in them. Source: the option `context` of mount(8). */
function withLabel(options: string, label: string | undefined): string {
  return label === undefined ? options : `context="${label}",${options}`;
}

export interface TmpfsOptions {
  readonly sizeBytes?: number;
  readonly mode: number;
  readonly ownerId?: number;
  /** Of every file in it, for SELinux. */
  readonly label?: string | undefined;
}

/** Mounts an empty filesystem in memory, from which no program or device can be used. */
export function mountTmpfs(target: string, options: TmpfsOptions): void {
  const { sizeBytes, mode, ownerId = 0, label } = options;
  const size = sizeBytes === undefined ? '' : `,size=${sizeBytes}`;
  const data = withLabel(`mode=${mode.toString(8)},uid=${ownerId},gid=${ownerId}${size}`, label);
  const flags = libc.MS_NOSUID | libc.MS_NODEV | libc.MS_NOEXEC;
  unmount(target);
  libc.mount({ source: 'tmpfs', target, type: 'tmpfs', flags, data });
}

/**
 * Unmounts everything that is mounted at `target`; nothing being there is fine. What still uses it keeps it
 * until it lets go. Nothing is there any more when this returns, but a thread may be writing out its data yet.
 */
export function unmount(target: string): void {
  for (const fd of takeAway(target)) close(fd, () => undefined); // it fails for no reason that matters here
}

/** As `unmount()`, and waits until the filesystem is written out and its device is free, if nobody uses it. */
export async function unmountCompletely(target: string): Promise<void> {
  await Promise.all(takeAway(target).map((fd) => closeInBackground(fd)));
}

const closeInBackground = promisify(close);

/**
 * The last to let go of an overlay waits until its upper filesystem is written out, which can take a second. So
 * we keep each mount open while it is taken away, and have a thread of Node close it.
 *
 * @returns descriptors of what was mounted
 */
function takeAway(target: string): number[] {
  const held: number[] = [];
  for (;;) {
    const fd = holdIfThere(target);
    if (fd === undefined) return held;
    try {
      libc.umount2(target, libc.MNT_DETACH | libc.UMOUNT_NOFOLLOW);
      held.push(fd);
    } catch (error) {
      closeSync(fd);
      if (isErrno(error, 'EINVAL')) return held; // nothing is mounted there
      throw error;
    }
  }
}

function holdIfThere(path: string): number | undefined {
  try {
    return openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Keeps what is mounted below the mount point `target` from appearing elsewhere, and the other way round. */
export function makePrivate(target: string): void {
  libc.mount({ source: 'none', target, flags: libc.MS_PRIVATE });
}

/** Whether the kernel can make a mount read-only with everything below it. */
export function supportsMountSetattr(): boolean {
  try {
    libc.setMountReadonly('/proc/self/no-such-file', true);
    return true;
  } catch (error) {
    return !isErrno(error, 'ENOSYS'); // the kernel has it from 5.12 on, and then it is the path that is wrong
  }
}

/** Whether something is mounted at exactly this path, be it a bind mount; `false` if the path is not there. */
export function isMountPoint(path: string): boolean {
  if (path === '/') return true;
  let parentFd: number | undefined;
  try {
    parentFd = openSync(dirname(path), O_PATH);
    const resolve = RESOLVE_NO_XDEV; // refuses to cross into another mount, even of the same filesystem
    closeSync(openat2(parentFd, basename(path), { flags: O_PATH | constants.O_NOFOLLOW, resolve }));
    return false;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    if (isErrno(error, 'EXDEV')) return true;
    throw error;
  } finally {
    if (parentFd !== undefined) closeSync(parentFd);
  }
}
