// SELinux being off here, its attribute is like any other: who may set it may set anything.

import { linkSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testCall } from '../../../base/testing/call.ts';
import { getxattr, lgetxattr, llistxattr, setxattr } from '../../../sys/libc/file.ts';
import { mountTmpfs, unmount } from '../../../sys/mount.ts';
import { tempDir } from '../../../sys/testing/temp-dir.ts';
import { relabelAll } from '../relabel-thread.ts';
import { relabel } from './relabel.ts';

const NAME = 'security.selinux';
const label = 'system_u:object_r:container_file_t:s0:c1,c2';
const labelOf = (path: string): string => lgetxattr(path, NAME).toString();
const isLabelled = (path: string): boolean => llistxattr(path).includes(NAME);

test('relabel() labels a directory and all below it, links themselves and not what they lead to', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('volume/a/b'), { recursive: true });
  writeFileSync(dir.join('outside'), '');
  writeFileSync(Buffer.concat([Buffer.from(dir.join('volume/a/b/')), Buffer.of(0xff)]), ''); // no UTF-8
  symlinkSync(dir.join('outside'), dir.join('volume/a/link'));
  expect(await relabel(dir.join('volume'), { label }, testCall.signal)).toBe('done');
  const all = ['volume', 'volume/a', 'volume/a/b', 'volume/a/link'].map((path) => labelOf(dir.join(path)));
  expect(all).toEqual([label, label, label, label]);
  const odd = Buffer.concat([Buffer.from(dir.join('volume/a/b/')), Buffer.of(0xff)]);
  expect(lgetxattr(odd, NAME).toString()).toBe(label);
  expect(isLabelled(dir.join('outside'))).toBe(false);
});

test('relabel() labels a single file', async () => {
  using dir = tempDir();
  writeFileSync(dir.join('hosts'), '');
  expect(await relabel(dir.join('hosts'), { label }, testCall.signal)).toBe('done');
  expect(labelOf(dir.join('hosts'))).toBe(label);
});

test('relabel() does nothing below a directory that has the label', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('volume/a'), { recursive: true });
  setxattr(dir.join('volume'), NAME, Buffer.from(`${label}\0`));
  expect(await relabel(dir.join('volume'), { label }, testCall.signal)).toBe('same');
  expect(isLabelled(dir.join('volume/a'))).toBe(false);
});

test('relabel() labels the top last, so that what was broken off is gone on with', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('volume'));
  const deep = `volume/${'d/'.repeat(300)}`;
  mkdirSync(dir.join(deep), { recursive: true });
  await expect(relabel(dir.join('volume'), { label }, testCall.signal)).rejects.toMatchObject({
    code: 'failed_precondition',
  });
  expect(isLabelled(dir.join('volume'))).toBe(false);
});

test.each(['/', '/etc', '/usr', '/var/lib', '/home', '/tmp'])('relabel() refuses %s', async (path) => {
  await expect(relabel(path, { label }, testCall.signal)).rejects.toMatchObject({ code: 'invalid_argument' });
});

test('relabel() refuses a path that has become a link', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('elsewhere/volume'), { recursive: true });
  symlinkSync('elsewhere', dir.join('pod'));
  await expect(relabel(dir.join('pod/volume'), { label }, testCall.signal)).rejects.toMatchObject({
    code: 'invalid_argument',
  });
  expect(isLabelled(dir.join('elsewhere/volume'))).toBe(false);
});

test('relabel() does not reach what is mounted in the volume', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('volume/mount'), { recursive: true });
  mountTmpfs(dir.join('volume/mount'), { mode: 0o755 });
  try {
    await relabel(dir.join('volume'), { label }, testCall.signal);
    expect(isLabelled(dir.join('volume/mount'))).toBe(false);
  } finally {
    unmount(dir.join('volume/mount'));
  }
  expect(labelOf(dir.join('volume/mount'))).toBe(label); // what it was mounted on
});

test('relabel() takes a file system without such labels as it is', async () => {
  expect(await relabel('/proc/sys/kernel', { label }, testCall.signal)).toBe('unsupported');
});

test('relabel() stays in the volume while a container exchanges directories and links in it', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('outside'));
  linkSync(makeFile(dir.join('outside/secret')), dir.join('name-of-secret'));
  for (let n = 0; n < 500; n += 1) mkdirSync(dir.join(`volume/${n}`), { recursive: true });
  const done = new AbortController();
  const exchanging = (async () => {
    for (let n = 0; !done.signal.aborted; n = (n + 1) % 500) {
      rmSync(dir.join(`volume/${n}`), { recursive: true, force: true });
      symlinkSync(dir.join('outside'), dir.join('new'));
      renameSync(dir.join('new'), dir.join(`volume/${n}`));
      if (n % 8 === 0) await turn();
    }
  })();
  await relabelAll(testCall, { paths: [dir.join('volume')], label });
  done.abort();
  await exchanging;
  expect(['outside', 'outside/secret'].map((path) => isLabelled(dir.join(path)))).toEqual([false, false]);
});

function makeFile(path: string): string {
  writeFileSync(path, '');
  return path;
}

test('relabelAll() works in a thread, and says why it could not', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('a'));
  const done = await relabelAll(testCall, { paths: [dir.join('a')], label });
  expect([done, getxattr(dir.join('a'), NAME).toString()]).toEqual([['done'], label]);
  await expect(relabelAll(testCall, { paths: ['/etc'], label })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: 'cannot relabel "/etc" for SELinux: that is never done',
  });
});

test('relabelAll() ends with its caller', async () => {
  using dir = tempDir();
  for (let n = 0; n < 500; n += 1) mkdirSync(dir.join(`volume/${n}`), { recursive: true });
  const caller = new AbortController();
  const relabelling = relabelAll(
    { ...testCall, signal: caller.signal },
    { paths: [dir.join('volume')], label },
  );
  caller.abort(new Error('gone'));
  await expect(relabelling).rejects.toThrow('gone');
  expect(statSync(dir.join('volume')).isDirectory()).toBe(true);
});
