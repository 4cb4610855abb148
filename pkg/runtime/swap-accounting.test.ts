import { expect, test } from 'vitest';
import { Cgroups } from '../sys/cgroup.ts';
import { hasSwapAccounting } from './swap-accounting.ts';

test('a group that has to be made to find out is taken away again', async () => {
  const groups = new Set<string>();
  const answer = await hasSwapAccounting({
    version: 2,
    create: async (path) => {
      groups.add(path);
    },
    readFile: async () => 'max\n',
    remove: async (path) => {
      groups.delete(path);
    },
  });
  expect(answer).toBe(true);
  expect(groups.size).toBe(0);
});

test('the kernel of this machine is asked, and it answers the same twice', async () => {
  const cgroups = await Cgroups.detect();
  const answer = await hasSwapAccounting(cgroups);
  expect(await hasSwapAccounting(cgroups)).toBe(answer);
});
