// Signals to processes, and their ends.

import { check, libc, type C, type Pointer } from './load.ts';

const cWaitpid = libc.func('int waitpid(int pid, void *status, int options)') as C<[number, Pointer, number]>;
const cPidfdOpen = libc.func('syscall', 'long', ['long', 'int', 'uint']) as C<[number, number, number]>;
const cPidfdSendSignal = libc.func('syscall', 'long', ['long', 'int', 'int', 'void *', 'uint']) as C<
  [number, number, number, Pointer, number]
>;

const cPidfdGetfd = libc.func('syscall', 'long', ['long', 'int', 'int', 'uint']) as C<
  [number, number, number, number]
>;
const cFcntl = libc.func('int fcntl(int fd, int cmd, long argument)') as C<[number, number, number]>;

const cKillpg = libc.func('int killpg(int pgrp, int sig)') as C<[number, number]>;

const WNOHANG = 1;

/** @param pid of a child, above 1 @returns its wait status, or `undefined` while it runs. Source: waitpid(2). */
export function waitpidNow(pid: number): number | undefined {
  const status = Buffer.alloc(4);
  return check(cWaitpid(pid, status, WNOHANG), 'waitpid') === 0 ? undefined : status.readInt32LE(0);
}

const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
const SYS_PIDFD_GETFD = 438;

/** A descriptor of a process, readable once that has ended. Source: pidfd_open(2). */
export function pidfdOpen(pid: number): number {
  return check(cPidfdOpen(SYS_PIDFD_OPEN, pid, 0), 'pidfd_open');
}

/** Source: pidfd_send_signal(2). */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  check(cPidfdSendSignal(SYS_PIDFD_SEND_SIGNAL, pidfd, signal, null, 0), 'pidfd_send_signal');
}

/**
 * A copy of a descriptor of that process, which closes on exec: the same open file, with the same position and flags.
 * Source: pidfd_getfd(2).
 */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return check(cPidfdGetfd(SYS_PIDFD_GETFD, pidfd, fd, 0), 'pidfd_getfd');
}

const F_GETFL = 3;
const F_SETFL = 4;

/** Adds one of the flags that can be changed to an open file. Source: F_SETFL(2const). */
export function addFileFlag(fd: number, flag: number): void {
  const flags = check(cFcntl(fd, F_GETFL, 0), 'fcntl');
  check(cFcntl(fd, F_SETFL, flags | flag), 'fcntl');
}

/** @param leader above 1: lesser numbers mean other groups, or everybody. Source: killpg(3). */
export function killGroup(leader: number, signal: number): void {
  check(cKillpg(leader, signal), 'killpg');
}
