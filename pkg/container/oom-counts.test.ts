import { expect, test } from 'vitest';
import type { ContainerId } from '../base/id.ts';
import { OomCounts } from './oom-counts.ts';

/** What the kernel counts, by cgroup. */
function countsOf(kills: Record<string, number>): OomCounts {
  const groups = {
    exists: (path: string) => Promise.resolve(path in kills),
    oomKills: (path: string) => Promise.resolve(kills[path] ?? 0),
  };
  return new OomCounts(groups, () => true);
}

const a = { id: 'a' as ContainerId, cgroupPath: '/pod/a' };
const b = { id: 'b' as ContainerId, cgroupPath: '/pod/b' };

test('a kill is found in the cgroup above when that of the container is gone', async () => {
  const kills: Record<string, number> = { '/pod': 3 };
  const counts = countsOf(kills);
  await counts.watch(a);
  kills['/pod'] = 4;
  expect(await counts.take(a)).toBe(1);
  expect(await counts.take(a)).toBe(0);
});

test('a cgroup that is there tells itself', async () => {
  const kills: Record<string, number> = { '/pod': 0, '/pod/a': 0 };
  const counts = countsOf(kills);
  await counts.watch(a);
  kills['/pod'] = 1;
  expect(await counts.take(a)).toBe(0);
});

test.each([
  ['is gone', {}],
  ['is there', { '/pod/a': 1 }],
])('the kill of a sibling whose cgroup %s is not counted twice', async (_, left) => {
  const kills: Record<string, number> = { '/pod': 0, ...left };
  const counts = countsOf(kills);
  await counts.watch(a);
  await counts.watch(b);
  kills['/pod'] = 1;
  await counts.take(a);
  expect(await counts.take(b)).toBe(0);
});

test('a container that was not watched has no kills', async () => {
  expect(await countsOf({ '/pod': 7 }).take(a)).toBe(0);
});
