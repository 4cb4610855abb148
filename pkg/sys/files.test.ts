import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:fs';
import { closeSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as files from './files.ts';
import { mknod } from './libc/file.ts';
import { tempDir, type TempDir } from './testing/temp-dir.ts';

const modeOf = (path: string) => statSync(path).mode & 0o7777;

test('ensureDirectory() makes directories with the mode it was given, and may be repeated', async () => {
  using dir = tempDir();
  await files.ensureDirectory(dir.join('a', 'b'), 0o711);
  await files.ensureDirectory(dir.join('a', 'b'), 0o777);
  expect(modeOf(dir.join('a', 'b'))).toBe(0o777);
});

test('writeFileAtomic() replaces a file and leaves no other', async () => {
  using dir = tempDir();
  await files.writeFileAtomic(dir.join('x'), 'old', 0o600);
  await files.writeFileAtomic(dir.join('x'), Buffer.from('new'), 0o666);
  expect([readFileSync(dir.join('x'), 'utf8'), modeOf(dir.join('x'))]).toEqual(['new', 0o666]);
  expect(readdirSync(dir.path)).toEqual(['x']);
});

test('writeFileAtomic() leaves no temporary file when it fails', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('x'));
  await expect(files.writeFileAtomic(dir.join('x'), 'new', 0o600)).rejects.toMatchObject({ code: 'EISDIR' });
  expect(readdirSync(dir.path)).toEqual(['x']);
});

test('readTextIfExists() reads a file, or returns nothing', async () => {
  using dir = tempDir();
  writeFileSync(dir.join('x'), 'text');
  expect(await files.readTextIfExists(dir.join('x'))).toBe('text');
  expect(await files.readTextIfExists(dir.join('y'))).toBeUndefined();
  await expect(files.readTextIfExists(dir.path)).rejects.toMatchObject({ code: 'EISDIR' });
});

/** A root filesystem that wants to lead us out of it. */
function hostileRoot(): TempDir {
  const dir = tempDir();
  mkdirSync(dir.join('etc'));
  writeFileSync(dir.join('etc', 'passwd'), 'inside');
  symlinkSync('/etc/passwd', dir.join('absolute'));
  symlinkSync('../../../../etc/passwd', dir.join('upwards'));
  symlinkSync('loop', dir.join('loop'));
  mknod(dir.join('fifo'), 0o010600, 0n);
  return dir;
}

test.each(['/etc/passwd', 'etc/passwd', '/../../etc/passwd', '/absolute', '/upwards'])(
  'resolveInRoot() finds %s inside the root',
  (path) => {
    using root = hostileRoot();
    expect(files.resolveInRoot(root.path, path)).toBe(root.join('etc', 'passwd'));
  },
);

test('resolveInRoot() says what leads nowhere, and takes no way through /proc', () => {
  using root = hostileRoot();
  expect(() => files.resolveInRoot(root.path, '/none')).toThrow('ENOENT');
  expect(() => files.resolveInRoot(root.path, '/loop')).toThrow('ELOOP');
  expect(() => files.resolveInRoot('/', '/proc/self/root/etc')).toThrow('ELOOP');
});

test('openInRoot() makes files inside the root', () => {
  using root = hostileRoot();
  const flags = constants.O_CREAT | constants.O_WRONLY;
  closeSync(files.openInRoot(root.path, '/../new', flags));
  expect(readdirSync(root.path)).toContain('new');
});

test('readTextInRoot() reads regular files of bounded size, and nothing else', () => {
  using root = hostileRoot();
  expect(files.readTextInRoot(root.path, '/upwards', 6)).toBe('inside');
  expect(files.readTextInRoot(root.path, '/none', 6)).toBeUndefined();
  expect(files.readTextInRoot(root.path, '/loop', 6)).toBeUndefined();
  expect(() => files.readTextInRoot(root.path, '/upwards', 5)).toThrow('"/upwards" exceeds 5 bytes');
  expect(() => files.readTextInRoot(root.path, '/fifo', 5)).toThrow('"/fifo" is not a regular file');
  expect(() => files.readTextInRoot(root.path, '/etc', 5)).toThrow('"/etc" is not a regular file');
});

test('fsUsage() and freeBytes() say how full a filesystem is', async () => {
  const usage = await files.fsUsage('/');
  expect(usage.sizeBytes > usage.usedBytes && usage.usedBytes > 0n).toBe(true);
  expect(usage.inodes >= usage.inodesUsed).toBe(true);
  expect(await files.freeBytes('/')).toBeGreaterThan(0n);
});

test('syncFs() writes out a filesystem', async () => {
  using dir = tempDir();
  await expect(files.syncFs(dir.path)).resolves.toBeUndefined();
});
