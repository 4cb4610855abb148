import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bindMount, unmount } from '../sys/mount.ts';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { walkTree } from './tree-walk.ts';

function walk(root: string) {
  return finish(walkTree(root));
}

function finish(steps: ReturnType<typeof walkTree>) {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

test('a tree takes what du says, and has as many inodes', () => {
  using dir = tempDir();
  mkdirSync(dir.join('a/b'), { recursive: true });
  writeFileSync(dir.join('a/b/large'), Buffer.alloc(300_000));
  writeFileSync(dir.join('a/empty'), '');
  linkSync(dir.join('a/b/large'), dir.join('a/again'));
  symlinkSync('/usr', dir.join('elsewhere'));
  writeFileSync(Buffer.from(dir.join('\xff\xfe'), 'latin1'), 'not UTF-8');
  const du = (...options: string[]) =>
    BigInt(/^\d+/.exec(execFileSync('du', ['-s', ...options, dir.path], { encoding: 'latin1' }))![0]);

  expect(walk(dir.path)).toEqual({ usedBytes: du('-B1'), inodes: du('--inodes') });
  expect(du('--inodes')).toBe(7n);
});

test('what is mounted in a tree does not belong to it', () => {
  using dir = tempDir();
  mkdirSync(dir.join('proc'));
  bindMount('/proc', dir.join('proc'));
  try {
    expect(walk(dir.path)?.inodes).toBe(1n);
  } finally {
    unmount(dir.join('proc'));
  }
});

test('a directory that turns into a symbolic link meanwhile is not followed', () => {
  using dir = tempDir();
  using elsewhere = tempDir();
  mkdirSync(dir.join('root/trap/deep'), { recursive: true });
  writeFileSync(dir.join('root/trap/deep/file'), '');
  mkdirSync(elsewhere.join('deep'));
  for (const name of ['a', 'b', 'c']) writeFileSync(elsewhere.join('deep', name), '');
  const steps = walkTree(dir.join('root'));
  steps.next(); // has entered the trap

  renameSync(dir.join('root/trap'), dir.join('moved'));
  symlinkSync(elsewhere.path, dir.join('root/trap'));

  expect(finish(steps)?.inodes).toBe(4n); // what was the trap, to its end
  expect(walk(dir.join('root/trap'))).toBeUndefined();
});

test('a tree of any depth is walked, what is too deep without looking into it', () => {
  using dir = tempDir();
  mkdirSync(dir.join(...Array<string>(150).fill('d')), { recursive: true });
  expect(walk(dir.path)?.inodes).toBe(101n);
});

test('a tree that is not there has no usage', () => {
  expect(walk('/nonexistent/davit')).toBeUndefined();
});
