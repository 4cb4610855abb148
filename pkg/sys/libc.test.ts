import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import * as libc from './libc.ts';
import { tempDir } from './testing/temp-dir.ts';

/** The name of our namespace, such as `net:[4026531840]`. */
const namespaceOf = (type: string) => readlinkSync(`/proc/thread-self/ns/${type}`);

test('mount() mounts and umount2() unmounts', () => {
  using dir = tempDir();
  libc.mount({ source: 'tmpfs', target: dir.path, type: 'tmpfs', flags: libc.MS_NOEXEC, data: 'size=64k' });
  const mounted = statSync(dir.path).dev;
  libc.umount2(dir.path, libc.MNT_DETACH);
  expect(statSync(dir.path).dev).not.toBe(mounted);
});

test('mount() says why it fails', () => {
  expect(() => {
    libc.mount({ source: '/nonexistent', target: '/nonexistent', flags: libc.MS_BIND });
  }).toThrow('ENOENT: no such file or directory, mount "/nonexistent"');
});

test('a path with a zero byte is refused', () => {
  expect(() => {
    libc.umount2('/tmp\0/x', 0);
  }).toThrow('EINVAL');
});

test('openTreeClone() shows what is below a mount', () => {
  using dir = tempDir();
  mkdirSync(dir.join('m'));
  writeFileSync(dir.join('m', 'hidden'), '');
  libc.mount({ source: 'tmpfs', target: dir.join('m'), type: 'tmpfs', flags: 0 });
  const fd = libc.openTreeClone(dir.path);
  const names = readdirSync(`/proc/self/fd/${fd}/m`);
  closeSync(fd);
  libc.umount2(dir.join('m'), libc.MNT_DETACH);
  expect(names).toEqual(['hidden']);
});

test('setMountReadonly() makes a mount read-only', () => {
  using dir = tempDir();
  libc.mount({ source: 'tmpfs', target: dir.path, type: 'tmpfs', flags: 0 });
  libc.setMountReadonly(dir.path, true);
  try {
    expect(() => {
      writeFileSync(dir.join('x'), '');
    }).toThrow('EROFS');
  } finally {
    libc.umount2(dir.path, libc.MNT_DETACH);
  }
});

test('unshare(), sethostname() and setns() change the namespace of this thread and change it back', () => {
  const [before, name] = [namespaceOf('uts'), hostname()];
  const fd = openSync('/proc/thread-self/ns/uts', 'r');
  libc.unshare(libc.CLONE_NEWUTS);
  const inside = namespaceOf('uts');
  libc.sethostname('davit-test');
  const nameInside = hostname();
  libc.setns(fd, libc.CLONE_NEWUTS);
  closeSync(fd);
  expect({ same: inside === before, nameInside }).toEqual({ same: false, nameInside: 'davit-test' });
  expect([namespaceOf('uts'), hostname()]).toEqual([before, name]);
});

test('chroot() and chdir() after unshare(CLONE_FS) confine a worker thread and nothing else', async () => {
  using dir = tempDir();
  const worker = new Worker(new URL('./testing/confined.ts', import.meta.url), { workerData: dir.path });
  const [seen] = (await once(worker, 'message')) as [string[]];
  await once(worker, 'exit');
  expect(seen).toEqual(['from-worker']);
  expect(existsSync('/proc/self')).toBe(true);
});

test('mknod() makes a whiteout, deviceNumber() numbers devices as the kernel does', () => {
  using dir = tempDir();
  libc.mknod(dir.join('whiteout'), 0o020000, libc.deviceNumber(0, 0));
  libc.mknod(Buffer.from(dir.join('big')), 0o060600, libc.deviceNumber(259, 70_000));
  const whiteout = statSync(dir.join('whiteout'));
  expect([whiteout.isCharacterDevice(), whiteout.rdev]).toEqual([true, 0]);
  expect(statSync(dir.join('big'), { bigint: true }).rdev).toBe(libc.deviceNumber(259, 70_000));
});

test('extended attributes are set, read and listed, on a symbolic link itself', () => {
  using dir = tempDir();
  symlinkSync('/nonexistent', dir.join('link'));
  libc.lsetxattr(dir.join('link'), 'trusted.davit.b', Buffer.of(0, 1, 255));
  libc.lsetxattr(dir.join('link'), 'trusted.davit.empty', Buffer.alloc(0));
  expect(libc.lgetxattr(dir.join('link'), 'trusted.davit.b')).toEqual(Buffer.of(0, 1, 255));
  expect(libc.lgetxattr(dir.join('link'), 'trusted.davit.empty')).toEqual(Buffer.alloc(0));
  expect(libc.llistxattr(dir.join('link')).sort()).toEqual(['trusted.davit.b', 'trusted.davit.empty']);
  expect(() => libc.lgetxattr(dir.join('link'), 'trusted.davit.none')).toThrow('ENODATA');
});

test('lutimes() sets times to the nanosecond, before 1970 too, on a symbolic link itself', () => {
  using dir = tempDir();
  symlinkSync('/nonexistent', dir.join('link'));
  libc.lutimes(dir.join('link'), -1n, 1_700_000_000_123_456_789n);
  const { atimeNs, mtimeNs } = lstatSync(dir.join('link'), { bigint: true });
  expect([atimeNs, mtimeNs]).toEqual([-1n, 1_700_000_000_123_456_789n]);
});

test('openat2() stays in the root', () => {
  using dir = tempDir();
  mkdirSync(dir.join('etc'));
  writeFileSync(dir.join('etc', 'passwd'), 'inside');
  symlinkSync('/../../etc/passwd', dir.join('link'));
  const root = openSync(dir.path, libc.O_PATH);
  const fd = libc.openat2(root, 'link', { flags: 0, resolve: libc.RESOLVE_IN_ROOT });
  const text = readFileSync(fd, 'utf8');
  closeSync(fd);
  const newFd = libc.openat2(root, 'new', { flags: 0o100, mode: 0o600, resolve: libc.RESOLVE_BENEATH });
  const mode = fstatSync(newFd).mode & 0o777;
  closeSync(newFd);
  expect(() => libc.openat2(root, 'link', { flags: 0, resolve: libc.RESOLVE_NO_SYMLINKS })).toThrow('ELOOP');
  closeSync(root);
  expect([text, mode]).toEqual(['inside', 0o600]);
});

test('syncfs() and syncfsInBackground() write out a filesystem, or say that they cannot', async () => {
  using dir = tempDir();
  const fd = openSync(dir.path, 'r');
  libc.syncfs(fd);
  await libc.syncfsInBackground(fd);
  closeSync(fd);
  expect(() => {
    libc.syncfs(-1);
  }).toThrow('EBADF');
  await expect(libc.syncfsInBackground(-1)).rejects.toThrow('EIO');
});

test('flockExclusive() takes a lock once', () => {
  using dir = tempDir();
  const [first, second] = [openSync(dir.join('lock'), 'w'), openSync(dir.join('lock'), 'w')];
  libc.flockExclusive(first);
  expect(() => {
    libc.flockExclusive(second);
  }).toThrow('EAGAIN');
  closeSync(first);
  libc.flockExclusive(second);
  closeSync(second);
});

test('pipe2() makes a pipe', () => {
  const { readFd, writeFd } = libc.pipe2();
  writeSync(writeFd, 'through');
  closeSync(writeFd);
  expect(readFileSync(readFd, 'utf8')).toBe('through');
  closeSync(readFd);
});

test('connectUnix() and send() reach a listening socket', async () => {
  using dir = tempDir();
  const server = createServer().listen(dir.join('s'));
  await once(server, 'listening');
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_STREAM);
  libc.connectUnix(fd, dir.join('s'));
  expect(libc.send(fd, Buffer.from('hello'))).toBe(5);
  closeSync(fd);
  server.close();
});

test('socket() knows SEQPACKET, connectUnix() the abstract namespace and the longest name', () => {
  const fd = libc.socket(libc.AF_UNIX, libc.SOCK_SEQPACKET);
  expect(() => {
    libc.connectUnix(fd, `@davit-test-${process.pid}`);
  }).toThrow('ECONNREFUSED');
  expect(() => {
    libc.connectUnix(fd, `/${'x'.repeat(107)}`);
  }).toThrow('ENAMETOOLONG');
  closeSync(fd);
});

test('setInterfaceUp() brings the loopback interface of a new namespace up', () => {
  const ours = openSync('/proc/thread-self/ns/net', 'r');
  libc.unshare(libc.CLONE_NEWNET);
  const fd = libc.socket(libc.AF_INET, libc.SOCK_DGRAM);
  const before = readFileSync('/proc/thread-self/net/if_inet6', 'utf8');
  libc.setInterfaceUp(fd, 'lo');
  const after = readFileSync('/proc/thread-self/net/if_inet6', 'utf8');
  closeSync(fd);
  libc.setns(ours, libc.CLONE_NEWNET);
  closeSync(ours);
  expect([before, after.trim().endsWith('lo')]).toEqual(['', true]);
});

test('openPty() makes a terminal, setWindowSize() sets its size', () => {
  const { masterFd, slavePath } = libc.openPty();
  const slaveFd = openSync(slavePath, 0o402);
  libc.setWindowSize(masterFd, 33, 101);
  writeSync(slaveFd, 'x');
  const buffer = Buffer.alloc(1);
  readSync(masterFd, buffer);
  closeSync(slaveFd);
  closeSync(masterFd);
  expect(buffer.toString()).toBe('x');
});

test('posixSpawn(), pidfd and waitpidNow() carry a process from its start to its end', async () => {
  const pid = libc.posixSpawn({
    file: '/bin/sleep',
    argv: ['sleep', '100'],
    envp: [],
    actions: [],
    newSession: true,
  });
  const pidfd = libc.pidfdOpen(pid);
  expect(libc.waitpidNow(pid)).toBeUndefined();
  libc.pidfdSendSignal(pidfd, 9);
  const { promise, resolve } = Promise.withResolvers<undefined>();
  using _watch = libc.whenReadable(pidfd, () => {
    resolve(undefined);
  });
  await promise;
  expect(libc.waitpidNow(pid)).toBe(9);
  expect(() => libc.waitpidNow(pid)).toThrow('ECHILD');
  expect(() => {
    libc.pidfdSendSignal(pidfd, 9);
  }).toThrow('ESRCH');
  closeSync(pidfd);
});

test('ten thousand failing calls all report their own error', () => {
  const codes = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    try {
      libc.pidfdSendSignal(-1, 0);
    } catch (error) {
      codes.add((error as { code: string }).code);
    }
  }
  expect([...codes]).toEqual(['EBADF']);
});
