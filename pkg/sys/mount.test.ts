import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  bindMount,
  isMadeOf,
  isMountPoint,
  makePrivate,
  mountOverlay,
  mountTmpfs,
  supportsMountSetattr,
  unmount,
  unmountCompletely,
} from './mount.ts';
import { mountsUnder } from './mountinfo.ts';
import { type TempDir, tempDir } from './testing/temp-dir.ts';

/** A directory in which nothing is left mounted. */
function mountDir(...names: readonly string[]): TempDir {
  const dir = tempDir();
  for (const name of names) mkdirSync(dir.join(name));
  const unmountAll = () => {
    for (const name of names) unmount(dir.join(name));
    dir[Symbol.dispose]();
  };
  return { ...dir, [Symbol.dispose]: unmountAll };
}

test('this kernel makes mounts recursively read-only, and is known to', () => {
  expect(supportsMountSetattr()).toBe(true);
});

test('bindMount() shows a directory at another place, once however often it is called', async () => {
  using dir = mountDir('from', 'to');
  writeFileSync(dir.join('from', 'x'), 'here');
  bindMount(dir.join('from'), dir.join('to'));
  bindMount(dir.join('from'), dir.join('to'));
  expect(readFileSync(dir.join('to', 'x'), 'utf8')).toBe('here');
  expect(await mountsUnder(dir.path)).toHaveLength(1);
});

test('bindMount() read-only makes what is mounted below read-only too, when recursive', () => {
  using dir = mountDir('from', 'to');
  mkdirSync(dir.join('from', 'below'));
  mountTmpfs(dir.join('from', 'below'), { mode: 0o700 });
  bindMount(dir.join('from'), dir.join('to'), { recursive: true, readonly: true });
  const write = () => {
    writeFileSync(dir.join('to', 'below', 'x'), '');
  };
  expect(write).toThrow('EROFS');
  unmount(dir.join('from', 'below'));
});

test('bindMount() names the source that is missing, and leaves nothing mounted', async () => {
  using dir = mountDir('to');
  expect(() => {
    bindMount('/nonexistent', dir.join('to'));
  }).toThrow('ENOENT');
  expect(await mountsUnder(dir.path)).toEqual([]);
});

test('mountOverlay() puts layers on one another, the topmost first', () => {
  using dir = mountDir('top', 'bottom', 'upper', 'work', 'to');
  for (const name of ['top', 'bottom']) writeFileSync(dir.join(name, 'x'), name);
  writeFileSync(dir.join('bottom', 'y'), 'bottom');
  const layers = { lower: [dir.join('top'), dir.join('bottom')], target: dir.join('to') };
  mountOverlay({ ...layers, upper: dir.join('upper'), work: dir.join('work') });
  mountOverlay({ ...layers, upper: dir.join('upper'), work: dir.join('work') });
  writeFileSync(dir.join('to', 'z'), 'new');
  const texts = ['x', 'y'].map((name) => readFileSync(dir.join('to', name), 'utf8'));
  expect([texts, readdirSync(dir.join('upper'))]).toEqual([['top', 'bottom'], ['z']]);
});

test('mountOverlay() without an upper directory is read-only, for one layer and for two', () => {
  using dir = mountDir('a', 'b', 'to');
  for (const lower of [[dir.join('a')], [dir.join('a'), dir.join('b')]]) {
    mountOverlay({ lower, target: dir.join('to') });
    expect(() => {
      writeFileSync(dir.join('to', 'x'), '');
    }).toThrow('EROFS');
  }
});

test('mountOverlay() takes more layers than fit into one page of options, and commas and colons in names', () => {
  const names = Array.from({ length: 100 }, (_, index) => `layer,with:signs-${index}-${'x'.repeat(50)}`);
  using dir = mountDir('to', 'upper', 'work', 'odd,u:p', 'odd,w:k', ...names);
  for (const name of names) writeFileSync(dir.join(name, name), '');
  const lower = names.map((name) => dir.join(name));
  mountOverlay({ lower, upper: dir.join('upper'), work: dir.join('work'), target: dir.join('to') });
  expect(readdirSync(dir.join('to')).sort()).toEqual([...names].sort());
  const odd = { upper: dir.join('odd,u:p'), work: dir.join('odd,w:k') };
  mountOverlay({ lower: lower.slice(0, 2), ...odd, target: dir.join('to') });
  expect(readdirSync(dir.join('to')).sort()).toEqual(names.slice(0, 2).sort());
});

test('isMadeOf() knows what an overlay or a bind mount consists of', async () => {
  using dir = mountDir('a', 'ab', 'c', 'o:d,d', 'upper', 'work', 'to');
  const [a, ab, c, odd, target] = ['a', 'ab', 'c', 'o:d,d', 'to'].map((name) => dir.join(name)) as Five;
  const seen = async () =>
    (await mountsUnder(target)).map((mount) => [a, ab, c, odd].map((path) => isMadeOf(mount, path)));
  mountOverlay({ lower: [odd, ab], upper: dir.join('upper'), work: dir.join('work'), target });
  expect(await seen()).toEqual([[false, true, false, true]]);
  const [mount] = await mountsUnder(target);
  const elsewhere = (aliases: readonly string[]) => isMadeOf(mount!, '/elsewhere/ab', aliases);
  expect([elsewhere([]), elsewhere([dir.path])]).toEqual([false, true]);
  mountOverlay({ lower: [c, a], target });
  expect(await seen()).toEqual([[true, false, true, false]]);
  mountOverlay({ lower: [c], target });
  expect(await seen()).toEqual([[false, false, true, false]]);
});

type Five = [string, string, string, string, string];

test('mountTmpfs() has the size and the mode it was given, and runs no programs', async () => {
  using dir = mountDir('to');
  mountTmpfs(dir.join('to'), { sizeBytes: 65_536, mode: 0o1777 });
  const [mounted] = await mountsUnder(dir.path);
  expect(statSync(dir.join('to')).mode & 0o7777).toBe(0o1777);
  expect(mounted?.options).toEqual(expect.arrayContaining(['nosuid', 'nodev', 'noexec']));
  expect(mounted?.superOptions).toContain('size=64k');
});

test('unmount() takes away everything that is mounted at the place, and may be repeated', async () => {
  using dir = mountDir('a', 'to');
  mountTmpfs(dir.join('a'), { mode: 0o700 });
  mkdirSync(dir.join('a', 'to'));
  bindMount(dir.join('a'), dir.join('to'));
  unmount(dir.join('to'));
  unmount(dir.join('to'));
  unmount(dir.join('a'));
  unmount(dir.join('nonexistent'));
  expect(await mountsUnder(dir.path)).toEqual([]);
});

test('unmountCompletely() lets the filesystem go, and may be repeated', async () => {
  using dir = mountDir('lower', 'upper', 'work', 'to');
  const layers = { lower: [dir.join('lower')], upper: dir.join('upper'), work: dir.join('work') };
  mountOverlay({ ...layers, target: dir.join('to') });
  writeFileSync(dir.join('to', 'x'), 'written');
  await unmountCompletely(dir.join('to'));
  await unmountCompletely(dir.join('to'));
  expect([await mountsUnder(dir.path), readFileSync(dir.join('upper', 'x'), 'utf8')]).toEqual([
    [],
    'written',
  ]);
});

test('unmount() says what it cannot look at', () => {
  const tooLong = `/${'x'.repeat(300)}`;
  expect(() => {
    unmount(tooLong);
  }).toThrow('ENAMETOOLONG');
});

test('unmount() does not follow a symbolic link', () => {
  using dir = mountDir('to');
  mountTmpfs(dir.join('to'), { mode: 0o700 });
  symlinkSync(dir.join('to'), dir.join('link'));
  unmount(dir.join('link'));
  expect(isMountPoint(dir.join('to'))).toBe(true);
});

test('isMountPoint() knows bind mounts of the same filesystem', () => {
  using dir = mountDir('a', 'b');
  bindMount(dir.join('a'), dir.join('b'));
  const paths = [dir.join('a'), dir.join('b'), dir.join('c'), dir.join('c', 'd'), '/', '/proc'];
  expect(paths.map(isMountPoint)).toEqual([false, true, false, false, true, true]);
});

test('makePrivate() makes a mount private', async () => {
  using dir = mountDir('a');
  mountTmpfs(dir.join('a'), { mode: 0o700 });
  makePrivate(dir.join('a'));
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  const line = lines.find((text) => text.includes(` ${dir.join('a')} `)) ?? '';
  expect(line).not.toContain('shared:');
  expect(await mountsUnder(dir.path)).toHaveLength(1);
});

test('an overlay may have what it is mounted on as its lowest layer', () => {
  using dir = mountDir('one', 'to');
  writeFileSync(dir.join('one', 'x'), 'here');
  mountOverlay({ lower: [dir.join('one'), dir.join('to')], target: dir.join('to') });
  expect(readdirSync(dir.join('to'))).toEqual(['x']);
});

test('a label is given to the kernel, which knows no such option without SELinux', () => {
  using dir = mountDir('one', 'to');
  const label = 'system_u:object_r:container_file_t:s0:c1,c2';
  const mounts = [
    () => {
      mountTmpfs(dir.join('to'), { mode: 0o700, label });
    },
    () => {
      mountOverlay({ lower: [dir.join('one')], target: dir.join('to'), label });
    },
  ];
  for (const mount of mounts) expect(mount).toThrow('EINVAL');
});
