import { symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { followLinksInRoot } from './links-in-root.ts';
import { tempDir } from './testing/temp-dir.ts';

test.each([
  ['/a/b', '/a/b'],
  ['a//./b/../c/', '/a/c'],
  ['/../../a', '/a'],
  ['/relative/x', '/etc/x'],
  ['/absolute', '/proc/self'],
  ['/chain/attr', '/proc/self/attr'],
  ['/up', '/etc'],
  ['/below/dangling/x', '/missing/dir/x'],
])('"%s" leads to "%s"', async (path, expected) => {
  using dir = tempDir();
  symlinkSync('etc', dir.join('relative'));
  symlinkSync('/proc/self', dir.join('absolute'));
  symlinkSync('absolute', dir.join('chain'));
  symlinkSync('../../../etc', dir.join('up'));
  symlinkSync('.', dir.join('below'));
  symlinkSync('/missing/dir', dir.join('dangling'));
  expect(await followLinksInRoot(dir.path, path)).toBe(expected);
});

test('links that lead to each other are an error', async () => {
  using dir = tempDir();
  symlinkSync('b', dir.join('a'));
  symlinkSync('a', dir.join('b'));
  await expect(followLinksInRoot(dir.path, '/a')).rejects.toMatchObject({ code: 'ELOOP' });
});
