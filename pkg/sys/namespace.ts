// A pod's namespaces, kept alive by bind mounts instead of a process. The thread enters them and comes back
// within one synchronous call; if it cannot come back the process aborts, since all else would act in the pod.

import { closeSync, constants, mkdirSync, openSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from './errno.ts';
import * as libc from './libc/namespace.ts';
import { setInterfaceUp } from './libc/interface.ts';
import { AF_INET, SOCK_DGRAM, socket } from './libc/socket.ts';
import { bindMount, unmount } from './mount.ts';

export type PodNamespace = 'net' | 'ipc' | 'uts';
/** Only a process of a single thread can make a user namespace: see `user-namespace.ts`. */
type PinnedNamespace = PodNamespace | 'user';

const CLONE_FLAGS = { net: libc.CLONE_NEWNET, ipc: libc.CLONE_NEWIPC, uts: libc.CLONE_NEWUTS } as const;
const ALL: readonly PinnedNamespace[] = ['net', 'ipc', 'uts', 'user'];

export interface PinOptions {
  /** Absolute; each namespace appears in it as a file named after its type. It is made if missing. */
  readonly dir: string;
  readonly types: readonly PodNamespace[];
  /** Needs `uts`. */
  readonly hostname?: string;
  /** Names as sysctl(8) writes them, `net.ipv4.ip_forward`; each belongs to one of `types`. */
  readonly sysctls?: Readonly<Record<string, string>>;
}

/**
 * Makes namespaces, with the loopback interface up, and keeps them. If they are all there already nothing is
 * done; if only some are, those were left half done, and all are made anew.
 *
 * @throws {Fault} invalid_argument — a sysctl or the hostname belongs to none of `types`, or the kernel
 * refuses it; {ErrnoError} as unshare(2) and mount(2) fail. Nothing is left pinned then.
 */
export function pinNamespaces(options: PinOptions): void {
  const { dir, types } = options;
  refuseHostSettings(options);
  if (types.length === 0 || types.every((type) => isPinned(join(dir, type)))) return;
  unpinNamespaces(dir);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  try {
    inNewNamespaces(types, () => {
      configure(options);
      for (const type of types) pin(ofThisThread(type), join(dir, type));
    });
  } catch (error) {
    unpinNamespaces(dir);
    throw error;
  }
}

/**
 * As `pinNamespaces()`, with the namespaces of a process, its user namespace among them. The process may end then.
 *
 * @throws as `pinNamespaces()`; the process is gone: ENOENT
 */
export function pinNamespacesOf(pid: number, options: PinOptions): void {
  const { dir, types } = options;
  unpinNamespaces(dir);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  try {
    for (const type of [...types, 'user'] as const) pin(`/proc/${pid}/ns/${type}`, join(dir, type));
    inNamespaces(dir, types, () => {
      configure(options);
    });
  } catch (error) {
    unpinNamespaces(dir);
    throw error;
  }
}

/** Lets go of all namespaces pinned in `dir`, which stays. What still uses them keeps them. May be repeated. */
export function unpinNamespaces(dir: string): void {
  for (const type of ALL) {
    unmount(join(dir, type));
    rmSync(join(dir, type), { force: true });
  }
}

const NSFS_MAGIC = 0x6e736673;

/** Whether a namespace is pinned at `path`. */
export function isPinned(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS_MAGIC;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/**
 * Runs `body` with the thread in the network namespace at `path`. It must be synchronous: sockets that it
 * opens belong to that namespace for good.
 *
 * @throws what `body` throws; {ErrnoError} EINVAL, ENOENT — there is no network namespace at `path`
 */
export function inNetworkNamespace<T>(
  path: string,
  body: () => T extends PromiseLike<unknown> ? never : T,
): T {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    return andComeBack(['net'], () => {
      libc.setns(fd, libc.CLONE_NEWNET);
      return body();
    });
  } finally {
    closeSync(fd);
  }
}

function inNamespaces(dir: string, types: readonly PodNamespace[], body: () => void): void {
  const theirs = types.map((type) => openSync(join(dir, type), constants.O_RDONLY));
  try {
    andComeBack(types, () => {
      for (const fd of theirs) libc.setns(fd, 0);
      body();
    });
  } finally {
    for (const fd of theirs) closeSync(fd);
  }
}

function inNewNamespaces(types: readonly PodNamespace[], body: () => void): void {
  andComeBack(types, () => {
    libc.unshare(types.reduce((flags, type) => flags | CLONE_FLAGS[type], 0));
    body();
  });
}

/** Whatever `body` does to the thread's namespaces of these types is undone. */
function andComeBack<T>(types: readonly PodNamespace[], body: () => T): T {
  const ours = types.map((type) => openSync(ofThisThread(type), constants.O_RDONLY));
  try {
    return body();
  } finally {
    for (const fd of ours) setnsOrAbort(fd);
    for (const fd of ours) closeSync(fd);
  }
}

function setnsOrAbort(fd: number): void {
  try {
    libc.setns(fd, 0);
  } catch {
    process.abort();
  }
}

function ofThisThread(type: PodNamespace): string {
  return `/proc/thread-self/ns/${type}`;
}

function pin(namespace: string, path: string): void {
  closeSync(openSync(path, constants.O_RDONLY | constants.O_CREAT | constants.O_EXCL, 0o400));
  bindMount(namespace, path);
}

/** In the new namespaces. */
function configure({ types, hostname, sysctls = {} }: PinOptions): void {
  if (types.includes('net')) bringLoopbackUp();
  if (hostname !== undefined) setHostname(hostname);
  for (const [name, value] of Object.entries(sysctls)) setSysctl(name, value);
}

function bringLoopbackUp(): void {
  const fd = socket(AF_INET, SOCK_DGRAM);
  try {
    setInterfaceUp(fd, 'lo');
  } finally {
    closeSync(fd);
  }
}

function setHostname(hostname: string): void {
  try {
    libc.sethostname(hostname);
  } catch (cause) {
    throw new Fault('invalid_argument', `the kernel refuses hostname "${hostname}"`, { cause });
  }
}

function setSysctl(name: string, value: string): void {
  try {
    writeFileSync(toSysctlPath(name), value, { flag: 'r+' });
  } catch (cause) {
    throw new Fault('invalid_argument', `the kernel refuses "${value}" for sysctl "${name}"`, {
      detail: { sysctl: name },
      cause,
    });
  }
}

/** `net.ipv4.conf.eth0/1.rp_filter` → `/proc/sys/net/ipv4/conf/eth0.1/rp_filter`. Source: sysctl.d(5). */
export function toSysctlPath(name: string): string {
  const swapped = name.replaceAll(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
  return `/proc/sys/${swapped}`;
}

/** The sysctls that each namespace has for itself. Source: sysctl(8) and the kubelet's list of them. */
const NAMESPACED: Readonly<Record<PodNamespace, RegExp>> = {
  net: /^net\.[a-zA-Z0-9_.\/-]+$/,
  ipc: /^(kernel\.(shm[a-z_]+|msg[a-z_]+|sem)|fs\.mqueue\.[a-z_]+)$/,
  uts: /^kernel\.(hostname|domainname)$/,
};

/** Whether it is one of the IPC namespace, which only the root of that namespace may set. */
export function isIpcSysctl(name: string): boolean {
  return NAMESPACED.ipc.test(name);
}

/**
 * A setting for a namespace that is not made anew would be the host's.
 *
 * @throws {Fault} invalid_argument — as `pinNamespaces()`
 */
export function refuseHostSettings({ types, hostname, sysctls = {} }: PinOptions): void {
  if (hostname !== undefined && !types.includes('uts')) {
    throw new Fault('invalid_argument', `cannot set hostname "${hostname}" without a UTS namespace`);
  }
  for (const name of Object.keys(sysctls)) {
    const isOurs = types.some((type) => NAMESPACED[type].test(name)) && !toSysctlPath(name).includes('..');
    if (isOurs) continue;
    throw new Fault('invalid_argument', `sysctl "${name}" belongs to none of the pod's own namespaces`, {
      detail: { sysctl: name },
    });
  }
}
