import { closeSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tempDir } from '../testing/temp-dir.ts';
import { MNT_DETACH, MS_BIND, MS_NOEXEC, mount, openTreeClone, setMountReadonly, umount2 } from './mount.ts';

test('mount() mounts and umount2() unmounts', () => {
  using dir = tempDir();
  mount({ source: 'tmpfs', target: dir.path, type: 'tmpfs', flags: MS_NOEXEC, data: 'size=64k' });
  const mounted = statSync(dir.path).dev;
  umount2(dir.path, MNT_DETACH);
  expect(statSync(dir.path).dev).not.toBe(mounted);
});

test('mount() says why it fails', () => {
  expect(() => {
    mount({ source: '/nonexistent', target: '/nonexistent', flags: MS_BIND });
  }).toThrow('ENOENT: no such file or directory, mount "/nonexistent"');
});

test('a path with a zero byte is refused', () => {
  expect(() => {
    umount2('/tmp\0/x', 0);
  }).toThrow('EINVAL');
});

test('openTreeClone() shows what is below a mount', () => {
  using dir = tempDir();
  mkdirSync(dir.join('m'));
  writeFileSync(dir.join('m', 'hidden'), '');
  mount({ source: 'tmpfs', target: dir.join('m'), type: 'tmpfs', flags: 0 });
  const fd = openTreeClone(dir.path);
  const names = readdirSync(`/proc/self/fd/${fd}/m`);
  closeSync(fd);
  umount2(dir.join('m'), MNT_DETACH);
  expect(names).toEqual(['hidden']);
});

test('setMountReadonly() makes a mount read-only', () => {
  using dir = tempDir();
  mount({ source: 'tmpfs', target: dir.path, type: 'tmpfs', flags: 0 });
  setMountReadonly(dir.path, true);
  try {
    expect(() => {
      writeFileSync(dir.join('x'), '');
    }).toThrow('EROFS');
  } finally {
    umount2(dir.path, MNT_DETACH);
  }
});
