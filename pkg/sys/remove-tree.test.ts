import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { chdir, cwd } from 'node:process';
import { expect, test } from 'vitest';
import { bindMount, unmount } from './mount.ts';
import { removeTree } from './remove-tree.ts';
import { tempDir } from './testing/temp-dir.ts';

test('removeTree() deletes files, directories, links and names that are not UTF-8', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('tree', 'a', 'b'), { recursive: true });
  writeFileSync(dir.join('tree', 'a', 'file'), '');
  writeFileSync(Buffer.concat([Buffer.from(dir.join('tree', 'a', 'x')), Buffer.of(0xff)]), '');
  symlinkSync('/etc', dir.join('tree', 'link'));
  await removeTree(dir.join('tree'));
  await removeTree(dir.join('tree'));
  expect([readdirSync(dir.path), existsSync('/etc/passwd')]).toEqual([[], true]);
});

test('removeTree() deletes a file, and a link but not what it points to', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('kept'));
  writeFileSync(dir.join('file'), '');
  symlinkSync(dir.join('kept'), dir.join('link'));
  await removeTree(dir.join('file'));
  await removeTree(dir.join('link'));
  expect(readdirSync(dir.path)).toEqual(['kept']);
});

test('removeTree() deletes many entries', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('tree'));
  for (let i = 0; i < 50; i++) mkdirSync(dir.join('tree', String(i)));
  for (let i = 0; i < 2000; i++) writeFileSync(dir.join('tree', String(i % 50), String(i)), '');
  await removeTree(dir.join('tree'));
  expect(readdirSync(dir.path)).toEqual([]);
});

test('removeTree() deletes a tree deeper than any path can name', async () => {
  using dir = tempDir();
  const before = cwd();
  chdir(dir.path);
  for (let depth = 0; depth < 300; depth++) {
    mkdirSync('tree-of-many-levels');
    chdir('tree-of-many-levels');
  }
  chdir(before);
  await removeTree(dir.join('tree-of-many-levels'));
  expect(readdirSync(dir.path)).toEqual([]);
});

test.each([1, 1000])(
  'removeTree() does not reach through a mount of the same filesystem, among %d files',
  async (count) => {
    using dir = tempDir();
    mkdirSync(dir.join('tree', 'mounted'), { recursive: true });
    mkdirSync(dir.join('kept'));
    writeFileSync(dir.join('kept', 'x'), '');
    for (let i = 0; i < count; i++) writeFileSync(dir.join('tree', String(i)), '');
    bindMount(dir.join('kept'), dir.join('tree', 'mounted'));
    const failure = await removeTree(dir.join('tree')).catch((error: unknown) => error);
    unmount(dir.join('tree', 'mounted'));
    expect([String(failure), readdirSync(dir.join('kept'))]).toEqual([expect.stringMatching(/busy/i), ['x']]);
    await removeTree(dir.join('tree'));
    expect(readdirSync(dir.path)).toEqual(['kept']);
  },
);

test('removeTree() does not empty what is mounted at the path itself', async () => {
  using dir = tempDir();
  for (const name of ['mounted', 'kept']) mkdirSync(dir.join(name));
  writeFileSync(dir.join('kept', 'x'), '');
  bindMount(dir.join('kept'), dir.join('mounted'));
  await expect(removeTree(dir.join('mounted'))).rejects.toMatchObject({ code: 'EBUSY' });
  unmount(dir.join('mounted'));
  expect(readdirSync(dir.join('kept'))).toEqual(['x']);
});
