import {
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { expect, test } from 'vitest';
import { tempDir } from '../testing/temp-dir.ts';
import {
  O_PATH,
  RESOLVE_BENEATH,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_SYMLINKS,
  deviceNumber,
  flockExclusive,
  getxattr,
  lgetxattr,
  llistxattr,
  lsetxattr,
  lutimes,
  mknod,
  openat2,
  setxattr,
  syncfs,
  syncfsInBackground,
} from './file.ts';

test('mknod() makes a whiteout, deviceNumber() numbers devices as the kernel does', () => {
  using dir = tempDir();
  mknod(dir.join('whiteout'), 0o020000, deviceNumber(0, 0));
  mknod(Buffer.from(dir.join('big')), 0o060600, deviceNumber(259, 70_000));
  const whiteout = statSync(dir.join('whiteout'));
  expect([whiteout.isCharacterDevice(), whiteout.rdev]).toEqual([true, 0]);
  expect(statSync(dir.join('big'), { bigint: true }).rdev).toBe(deviceNumber(259, 70_000));
});

test('extended attributes are set, read and listed, on a symbolic link itself', () => {
  using dir = tempDir();
  symlinkSync('/nonexistent', dir.join('link'));
  lsetxattr(dir.join('link'), 'trusted.davit.b', Buffer.of(0, 1, 255));
  lsetxattr(dir.join('link'), 'trusted.davit.empty', Buffer.alloc(0));
  expect(lgetxattr(dir.join('link'), 'trusted.davit.b')).toEqual(Buffer.of(0, 1, 255));
  expect(lgetxattr(dir.join('link'), 'trusted.davit.empty')).toEqual(Buffer.alloc(0));
  expect(llistxattr(dir.join('link')).sort()).toEqual(['trusted.davit.b', 'trusted.davit.empty']);
  expect(() => lgetxattr(dir.join('link'), 'trusted.davit.none')).toThrow('ENODATA');
});

test('setxattr() and getxattr() follow a link', () => {
  using dir = tempDir();
  writeFileSync(dir.join('file'), '');
  symlinkSync('file', dir.join('link'));
  setxattr(dir.join('link'), 'trusted.davit', Buffer.of(7));
  expect(lgetxattr(dir.join('file'), 'trusted.davit')).toEqual(Buffer.of(7));
  expect(getxattr(dir.join('link'), 'trusted.davit')).toEqual(Buffer.of(7));
  expect(() => getxattr(dir.join('link'), 'trusted.none')).toThrow('ENODATA');
});

test('lutimes() sets times to the nanosecond, before 1970 too, on a symbolic link itself', () => {
  using dir = tempDir();
  symlinkSync('/nonexistent', dir.join('link'));
  lutimes(dir.join('link'), -1n, 1_700_000_000_123_456_789n);
  const { atimeNs, mtimeNs } = lstatSync(dir.join('link'), { bigint: true });
  expect([atimeNs, mtimeNs]).toEqual([-1n, 1_700_000_000_123_456_789n]);
});

test('openat2() stays in the root', () => {
  using dir = tempDir();
  mkdirSync(dir.join('etc'));
  writeFileSync(dir.join('etc', 'passwd'), 'inside');
  symlinkSync('/../../etc/passwd', dir.join('link'));
  const root = openSync(dir.path, O_PATH);
  const fd = openat2(root, 'link', { flags: 0, resolve: RESOLVE_IN_ROOT });
  const text = readFileSync(fd, 'utf8');
  closeSync(fd);
  const newFd = openat2(root, 'new', { flags: 0o100, mode: 0o600, resolve: RESOLVE_BENEATH });
  const mode = fstatSync(newFd).mode & 0o777;
  closeSync(newFd);
  expect(() => openat2(root, 'link', { flags: 0, resolve: RESOLVE_NO_SYMLINKS })).toThrow('ELOOP');
  closeSync(root);
  expect([text, mode]).toEqual(['inside', 0o600]);
});

test('syncfs() and syncfsInBackground() write out a filesystem, or say that they cannot', async () => {
  using dir = tempDir();
  const fd = openSync(dir.path, 'r');
  syncfs(fd);
  await syncfsInBackground(fd);
  closeSync(fd);
  expect(() => {
    syncfs(-1);
  }).toThrow('EBADF');
  await expect(syncfsInBackground(-1)).rejects.toThrow('EIO');
});

test('flockExclusive() takes a lock once', () => {
  using dir = tempDir();
  const [first, second] = [openSync(dir.join('lock'), 'w'), openSync(dir.join('lock'), 'w')];
  flockExclusive(first);
  expect(() => {
    flockExclusive(second);
  }).toThrow('EAGAIN');
  closeSync(first);
  flockExclusive(second);
  closeSync(second);
});
