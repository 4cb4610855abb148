import { expect, test } from 'vitest';
import { parseMountInfo } from '../sys/mountinfo.ts';
import { findCgroupRoots } from './cgroup-roots.ts';

test('controllers of version 1 are found, those mounted together too; the unified tree beside them is left alone', () => {
  const mounts =
    parseMountInfo(`31 28 0:27 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
32 28 0:28 / /sys/fs/cgroup/memory rw shared:10 - cgroup cgroup rw,memory
33 28 0:29 / /sys/fs/cgroup/unified rw shared:11 - cgroup2 cgroup2 rw
`);

  expect(findCgroupRoots(mounts)).toEqual({
    version: 1,
    roots: {
      cpu: '/sys/fs/cgroup/cpu,cpuacct',
      cpuacct: '/sys/fs/cgroup/cpu,cpuacct',
      memory: '/sys/fs/cgroup/memory',
    },
  });
});

test('the one tree of version 2 is found', () => {
  const mounts = parseMountInfo('33 28 0:29 / /sys/fs/cgroup rw shared:11 - cgroup2 cgroup2 rw\n');
  expect(findCgroupRoots(mounts)).toEqual({ version: 2, root: '/sys/fs/cgroup' });
});

test('a node without control groups is refused', () => {
  expect(() => findCgroupRoots([])).toThrow('no control groups are mounted');
});
