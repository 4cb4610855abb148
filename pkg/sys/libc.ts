// Every declaration of a C function (but for those in libc-socket.ts), and nothing else. A wrong signature
// crashes the process, so each wrapper has a test. Calls are synchronous, and safe in worker threads. Structs
// are buffers laid out for 64-bit Linux.

import koffi from 'koffi';
import { ErrnoError } from './errno.ts';

/** Bytes where a name need not be UTF-8. */
export type Path = string | Buffer;

/** For `libc-socket.ts`: together the two files would be too long. */
export const libc = koffi.load('libc.so.6');

export type Pointer = Buffer | null;
type Strings = readonly (string | null)[];

/** A C function; a `long` comes back as either kind of number. */
export type C<Arguments extends unknown[]> = (...args: Arguments) => number | bigint;

/** A path as C has it. @throws {ErrnoError} EINVAL — it contains a zero byte, which C would take for its end */
export function cString(path: Path, syscall: string): Buffer {
  const bytes = typeof path === 'string' ? Buffer.from(path) : path;
  if (bytes.includes(0)) throw new ErrnoError(22, syscall, String(path));
  return Buffer.concat([bytes, Buffer.of(0)]);
}

/** @returns `result` @throws {ErrnoError} it is negative: the call failed */
export function check(result: number | bigint, syscall: string, path?: Path): number {
  if (result < 0) throw new ErrnoError(koffi.errno(), syscall, path === undefined ? undefined : String(path));
  return Number(result);
}

/** Where the bytes are, for a pointer within a struct. They stay there while the buffer is in use. */
export function addressOf(buffer: Buffer): bigint {
  return koffi.address(buffer);
}

// --- mounts

export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_REMOUNT = 32;
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
const O_CLOEXEC = 0o2000000;

/**
 * A descriptor of a copy of the mount that `path` is on, seen from `path`, without the mounts below it.
 * Source: open_tree(2).
 */
export function openTreeClone(path: string): number {
  const cPath = cString(path, 'open_tree');
  return check(cOpenTree(SYS_OPEN_TREE, AT_FDCWD, cPath, OPEN_TREE_CLONE | O_CLOEXEC), 'open_tree', path);
}

const SYS_MOUNT_SETATTR = 442;
const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_RDONLY = 1;

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

// --- namespaces and roots of the calling thread

export const CLONE_FS = 0x200;
export const CLONE_NEWNS = 0x20000;
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

// --- files

export const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
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
const cLgetxattr = libc.func(
  'long lgetxattr(const void *path, const void *name, void *value, size_t size)',
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

/** @throws {ErrnoError} ENODATA — it has no such attribute. Source: getxattr(2). */
export function lgetxattr(path: Path, name: Path): Buffer {
  const [cPath, cName] = [cString(path, 'lgetxattr'), cString(name, 'lgetxattr')];
  return readAll((buffer) => check(cLgetxattr(cPath, cName, buffer, buffer.length), 'lgetxattr', path));
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

// --- pipes, sockets, terminals

const cPipe2 = libc.func('int pipe2(void *fds, int flags)') as C<[Pointer, number]>;
const cSocket = libc.func('int socket(int domain, int type, int protocol)') as C<[number, number, number]>;
const cConnect = libc.func('int connect(int fd, const void *address, uint length)') as C<
  [number, Pointer, number]
>;
const cSend = libc.func('long send(int fd, const void *data, size_t length, int flags)') as C<
  [number, Pointer, number, number]
>;
const cIoctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)') as C<
  [number, number, Pointer]
>;
const cOpenpt = libc.func('int posix_openpt(int flags)') as C<[number]>;
const cGrantpt = libc.func('int grantpt(int fd)') as C<[number]>;
const cUnlockpt = libc.func('int unlockpt(int fd)') as C<[number]>;
const cPtsname = libc.func('int ptsname_r(int fd, void *name, size_t length)') as C<
  [number, Pointer, number]
>;

/** Both ends close on exec. Source: pipe(2). */
export function pipe2(): { readFd: number; writeFd: number } {
  const fds = Buffer.alloc(8);
  check(cPipe2(fds, O_CLOEXEC), 'pipe2');
  return { readFd: fds.readInt32LE(0), writeFd: fds.readInt32LE(4) };
}

export const AF_UNIX = 1;
export const AF_INET = 2;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;

/** A socket that never blocks and closes on exec. Source: socket(2). */
export function socket(domain: number, type: number): number {
  return check(cSocket(domain, type | SOCK_NONBLOCK | O_CLOEXEC, 0), 'socket');
}

/** @param path of a unix socket; a leading `@` means the abstract namespace. Source: connect(2), unix(7). */
export function connectUnix(fd: number, path: string): void {
  const name = path.startsWith('@') ? Buffer.from(`\0${path.slice(1)}`) : cString(path, 'connect');
  const address = Buffer.concat([Buffer.of(AF_UNIX, 0), name]);
  if (address.length > 110) throw new ErrnoError(36, 'connect', path); // sizeof(struct sockaddr_un)
  check(cConnect(fd, address, address.length), 'connect', path);
}

const MSG_NOSIGNAL = 0x4000;

/** @returns how many bytes were taken. Source: send(2). */
export function send(fd: number, data: Buffer): number {
  return check(cSend(fd, data, data.length, MSG_NOSIGNAL), 'send');
}

const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;

/** In the thread's network namespace. @param fd any socket. Source: netdevice(7). */
export function setInterfaceUp(fd: number, name: string): void {
  const request = Buffer.alloc(40); // struct ifreq: char name[16], short flags
  if (request.write(name) > 15) throw new ErrnoError(36, 'ioctl', name);
  check(cIoctl(fd, SIOCGIFFLAGS, request), 'ioctl', name);
  request.writeInt16LE(request.readInt16LE(16) | IFF_UP, 16);
  check(cIoctl(fd, SIOCSIFFLAGS, request), 'ioctl', name);
}

const O_RDWR = 2;
const O_NOCTTY = 0o400;

/**
 * A new pseudoterminal, unlocked.
 * @returns the descriptor of its master, which closes on exec, and the path of its slave. Source: pts(4).
 */
export function openPty(): { masterFd: number; slavePath: string } {
  const masterFd = check(cOpenpt(O_RDWR | O_NOCTTY | O_CLOEXEC), 'posix_openpt');
  check(cGrantpt(masterFd), 'grantpt');
  check(cUnlockpt(masterFd), 'unlockpt');
  const name = Buffer.alloc(64);
  const errno = Number(cPtsname(masterFd, name, name.length));
  if (errno !== 0) throw new ErrnoError(errno, 'ptsname_r');
  return { masterFd, slavePath: name.toString('utf8', 0, name.indexOf(0)) };
}

const TIOCSWINSZ = 0x5414;

/** Source: TIOCSWINSZ(2const). */
export function setWindowSize(fd: number, rows: number, columns: number): void {
  const size = Buffer.alloc(8); // struct winsize: rows, columns, and two that nobody uses
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  check(cIoctl(fd, TIOCSWINSZ, size), 'ioctl');
}

// --- processes

const cActionsInit = libc.func('int posix_spawn_file_actions_init(void *actions)') as C<[Pointer]>;
const cActionsDestroy = libc.func('int posix_spawn_file_actions_destroy(void *actions)') as C<[Pointer]>;
const cActionsDup2 = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int to)') as C<
  [Pointer, number, number]
>;
const cActionsOpen = libc.func(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const void *path, int flags, uint mode)',
) as C<[Pointer, number, Pointer, number, number]>;
const cActionsClose = libc.func('int posix_spawn_file_actions_addclose(void *actions, int fd)') as C<
  [Pointer, number]
>;
const cActionsCloseFrom = libc.func(
  'int posix_spawn_file_actions_addclosefrom_np(void *actions, int from)',
) as C<[Pointer, number]>;
const cActionsChdir = libc.func(
  'int posix_spawn_file_actions_addchdir_np(void *actions, const void *path)',
) as C<[Pointer, Pointer]>;
const cAttrInit = libc.func('int posix_spawnattr_init(void *attr)') as C<[Pointer]>;
const cAttrDestroy = libc.func('int posix_spawnattr_destroy(void *attr)') as C<[Pointer]>;
const cAttrFlags = libc.func('int posix_spawnattr_setflags(void *attr, short flags)') as C<[Pointer, number]>;
const cAttrDefault = libc.func('int posix_spawnattr_setsigdefault(void *attr, const void *set)') as C<
  [Pointer, Pointer]
>;
const cAttrMask = libc.func('int posix_spawnattr_setsigmask(void *attr, const void *set)') as C<
  [Pointer, Pointer]
>;
const cSpawn = libc.func(
  'int posix_spawn(void *pid, void *path, void *actions, void *attr, const char **argv, const char **envp)',
) as C<[Pointer, Pointer, Pointer, Pointer, Strings, Strings]>;
const cWaitpid = libc.func('int waitpid(int pid, void *status, int options)') as C<[number, Pointer, number]>;
const cPidfdOpen = libc.func('syscall', 'long', ['long', 'int', 'uint']) as C<[number, number, number]>;
const cPidfdSendSignal = libc.func('syscall', 'long', ['long', 'int', 'int', 'void *', 'uint']) as C<
  [number, number, number, Pointer, number]
>;

/** What the child does with its descriptors and its working directory before it becomes the program. */
export type FileAction =
  | { readonly kind: 'dup2'; readonly fd: number; readonly to: number }
  | { readonly kind: 'open'; readonly fd: number; readonly path: string; readonly flags: number }
  | { readonly kind: 'close'; readonly fd: number }
  | { readonly kind: 'closeFrom'; readonly fd: number }
  | { readonly kind: 'chdir'; readonly path: string };

export interface PosixSpawnArguments {
  readonly file: string;
  /** From argv[0] on. */
  readonly argv: readonly string[];
  /** `NAME=value` */
  readonly envp: readonly string[];
  /** Done in this order. */
  readonly actions: readonly FileAction[];
  readonly newSession: boolean;
}

/** More than sizeof(posix_spawnattr_t), 336, and sizeof(posix_spawn_file_actions_t), 80. */
const SPAWN_STRUCT_BYTES = 512;
const POSIX_SPAWN_SETSIGDEF = 4;
const POSIX_SPAWN_SETSIGMASK = 8;
const POSIX_SPAWN_SETSID = 128;
const ALL_SIGNALS = Buffer.alloc(128, 0xff); // sigset_t
const NO_SIGNALS = Buffer.alloc(128);

/**
 * Starts a program with default signal handlers and no signal blocked.
 * @returns its pid
 * @throws {ErrnoError} as execve(2) and open(2) fail. Source: posix_spawn(3).
 */
export function posixSpawn({ file, argv, envp, actions, newSession }: PosixSpawnArguments): number {
  const [cActions, cAttr] = [Buffer.alloc(SPAWN_STRUCT_BYTES), Buffer.alloc(SPAWN_STRUCT_BYTES)];
  const pid = Buffer.alloc(4);
  checkSpawn(cActionsInit(cActions), file);
  checkSpawn(cAttrInit(cAttr), file);
  try {
    for (const action of actions) checkSpawn(addAction(cActions, action), file);
    const session = newSession ? POSIX_SPAWN_SETSID : 0;
    checkSpawn(cAttrFlags(cAttr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | session), file);
    checkSpawn(cAttrDefault(cAttr, ALL_SIGNALS), file);
    checkSpawn(cAttrMask(cAttr, NO_SIGNALS), file);
    const cFile = cString(file, 'posix_spawn');
    checkSpawn(cSpawn(pid, cFile, cActions, cAttr, [...argv, null], [...envp, null]), file);
  } finally {
    cActionsDestroy(cActions);
    cAttrDestroy(cAttr);
  }
  return pid.readInt32LE(0);
}

function addAction(cActions: Buffer, action: FileAction): number | bigint {
  switch (action.kind) {
    case 'dup2':
      return cActionsDup2(cActions, action.fd, action.to);
    case 'open':
      return cActionsOpen(cActions, action.fd, cString(action.path, 'open'), action.flags, 0);
    case 'close':
      return cActionsClose(cActions, action.fd);
    case 'closeFrom':
      return cActionsCloseFrom(cActions, action.fd);
    case 'chdir':
      return cActionsChdir(cActions, cString(action.path, 'chdir'));
  }
}

/** These functions return the error number. */
function checkSpawn(errno: number | bigint, file: string): void {
  if (errno !== 0) throw new ErrnoError(Number(errno), 'posix_spawn', file);
}

const WNOHANG = 1;

/** @param pid of a child, above 1 @returns its wait status, or `undefined` while it runs. Source: waitpid(2). */
export function waitpidNow(pid: number): number | undefined {
  const status = Buffer.alloc(4);
  return check(cWaitpid(pid, status, WNOHANG), 'waitpid') === 0 ? undefined : status.readInt32LE(0);
}

const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;

/** A descriptor of a process, readable once that has ended. Source: pidfd_open(2). */
export function pidfdOpen(pid: number): number {
  return check(cPidfdOpen(SYS_PIDFD_OPEN, pid, 0), 'pidfd_open');
}

/** Source: pidfd_send_signal(2). */
export function pidfdSendSignal(pidfd: number, signal: number): void {
  check(cPidfdSendSignal(SYS_PIDFD_SEND_SIGNAL, pidfd, signal, null, 0), 'pidfd_send_signal');
}

/**
 * Calls `onReadable` once, soon after the descriptor becomes readable, and keeps the event loop alive until
 * then. Dispose the result before closing the descriptor.
 */
export function whenReadable(fd: number, onReadable: () => void): Disposable {
  return whenReady(fd, { readable: true }, onReadable);
}

/** As `whenReadable()`. A socket that connects becomes writable when it has, or cannot. */
export function whenWritable(fd: number, onWritable: () => void): Disposable {
  return whenReady(fd, { writable: true }, onWritable);
}

function whenReady(
  fd: number,
  events: { readable?: boolean; writable?: boolean },
  onReady: () => void,
): Disposable {
  const handle = koffi.node.poll(fd, events, () => {
    handle.stop();
    setImmediate(onReady); // outside this callback, where Node would not run promises, nor catch errors
  });
  return {
    [Symbol.dispose]: () => {
      handle.close();
    },
  };
}
