import { mkdirSync, renameSync, rmSync, watch, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { eventually } from './testing/eventually.ts';
import { type TempDir, tempDir } from './testing/temp-dir.ts';
import { watchDirectory } from './watch.ts';

function watched(dir: TempDir): { seen: Set<string>; errors: unknown[]; watching: Disposable } {
  const [seen, errors] = [new Set<string>(), [] as unknown[]];
  const watching = watchDirectory(
    dir.join('w'),
    (name) => seen.add(name),
    (error) => errors.push(error),
  );
  return { seen, errors, watching };
}

/** Sees what another watch would see. */
function witness(path: string): Disposable & { seen: Set<string> } {
  const seen = new Set<string>();
  const watcher = watch(path, (_event, name) => seen.add(name ?? ''));
  return {
    seen,
    [Symbol.dispose]: () => {
      watcher.close();
    },
  };
}

test('watchDirectory() tells what appears, changes and goes', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('w'));
  writeFileSync(dir.join('w', 'changed'), '');
  writeFileSync(dir.join('w', 'gone'), '');
  const { seen, watching } = watched(dir);
  writeFileSync(dir.join('w', 'new'), '');
  writeFileSync(dir.join('w', 'changed'), 'x');
  rmSync(dir.join('w', 'gone'));
  writeFileSync(dir.join('other'), '');
  renameSync(dir.join('other'), dir.join('w', 'renamed'));
  await eventually(() => seen.size >= 4);
  watching[Symbol.dispose]();
  expect([...seen].sort()).toEqual(['changed', 'gone', 'new', 'renamed']);
});

test('watchDirectory() goes on with a directory that takes the place of the first, and reports what is in it', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('w'));
  const { seen, errors, watching } = watched(dir);
  mkdirSync(dir.join('next'));
  writeFileSync(dir.join('next', 'was-there'), '');
  rmSync(dir.join('w'), { recursive: true });
  renameSync(dir.join('next'), dir.join('w'));
  await eventually(() => seen.has('was-there'));
  writeFileSync(dir.join('w', 'new'), '');
  await eventually(() => seen.has('new'));
  watching[Symbol.dispose]();
  expect(errors).toEqual([]);
});

test('watchDirectory() waits for a directory that is gone for a while', async () => {
  using dir = tempDir();
  mkdirSync(dir.join('w'));
  const { seen, watching } = watched(dir);
  using above = witness(dir.path);
  rmSync(dir.join('w'), { recursive: true });
  await eventually(() => above.seen.has('w')); // its going was noticed by itself
  mkdirSync(dir.join('w'));
  writeFileSync(dir.join('w', 'new'), '');
  await eventually(() => seen.has('new'));
  watching[Symbol.dispose]();
});

test('watchDirectory() refuses a directory that is missing, and is silent once disposed', async () => {
  using dir = tempDir();
  expect(() => watched(dir)).toThrow('ENOENT');
  mkdirSync(dir.join('w'));
  const { seen, watching } = watched(dir);
  watching[Symbol.dispose]();
  using other = witness(dir.join('w'));
  writeFileSync(dir.join('w', 'x'), '');
  await eventually(() => other.seen.has('x'));
  expect(seen.size).toBe(0);
});
