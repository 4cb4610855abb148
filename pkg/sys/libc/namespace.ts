// Namespaces and roots of the calling thread.

import { check, cString, libc, type C, type Pointer } from './load.ts';

export const CLONE_FS = 0x200;
export const CLONE_NEWUTS = 0x4000000;
export const CLONE_NEWIPC = 0x8000000;
export const CLONE_NEWNET = 0x40000000;

const cUnshare = libc.func('int unshare(int flags)') as C<[number]>;
const cSetns = libc.func('int setns(int fd, int type)') as C<[number, number]>;
const cChroot = libc.func('int chroot(const void *path)') as C<[Pointer]>;
const cChdir = libc.func('int chdir(const void *path)') as C<[Pointer]>;
const cSethostname = libc.func('int sethostname(const void *name, size_t length)') as C<[Pointer, number]>;

/** For the calling thread alone. Source: unshare(2). */
export function unshare(flags: number): void {
  check(cUnshare(flags), 'unshare');
}

/** For the calling thread alone. @param type 0, or the CLONE_NEW… that it must be. Source: setns(2). */
export function setns(fd: number, type: number): void {
  check(cSetns(fd, type), 'setns');
}

/** For every thread that shares its root with this one: all of them, until `unshare(CLONE_FS)`. */
export function chroot(path: string): void {
  check(cChroot(cString(path, 'chroot')), 'chroot', path);
}

/** As `chroot()`; unlike process.chdir() it works in a worker thread. */
export function chdir(path: string): void {
  check(cChdir(cString(path, 'chdir')), 'chdir', path);
}

/** Of the thread's UTS namespace. */
export function sethostname(name: string): void {
  const bytes = Buffer.from(name);
  check(cSethostname(bytes, bytes.length), 'sethostname');
}
