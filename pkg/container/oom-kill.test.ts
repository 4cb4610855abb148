import { expect, test } from 'vitest';
import { findOomKill, type MemoryGroups } from './oom-kill.ts';

interface Group {
  readonly kills?: number;
  readonly reached?: boolean;
  readonly limit?: bigint;
  readonly peak?: bigint;
}

function fakeGroups(groups: Readonly<Record<string, Group>>): MemoryGroups {
  return {
    oomKills: (path) => Promise.resolve(groups[path]?.kills ?? 0),
    memoryLimitReached: (path) => Promise.resolve(groups[path]?.reached === true),
    memoryLimitBytes: (path) => Promise.resolve(groups[path]?.limit),
    peakMemoryBytes: (path) => Promise.resolve(groups[path]?.peak),
  };
}

const container = { cgroupPath: '/kubepods/pod1/c', resources: { memoryLimitBytes: 64n } };

test('an end without such a kill needs no words', async () => {
  const groups = fakeGroups({ '/kubepods/pod1/c': { reached: true, limit: 64n, peak: 64n } });
  expect(await findOomKill(groups, container, false)).toBeUndefined();
});

test("it says when the container's own limit was reached, and how much was used", async () => {
  const groups = fakeGroups({
    '/kubepods/pod1/c': { kills: 1, reached: true, limit: 64n, peak: 64n },
    '/kubepods/pod1': { reached: true, limit: 128n, peak: 70n },
  });
  expect(await findOomKill(groups, container, true)).toBe(
    'the kernel killed a process of the container: ' +
      'the container reached its memory limit of 64 bytes (at most 64 bytes were used)',
  );
});

test("it says when the limit was the pod's, or one above", async () => {
  const killed = { '/kubepods/pod1/c': { kills: 2, limit: 64n, peak: 50n } };
  const pod = fakeGroups({ ...killed, '/kubepods/pod1': { reached: true, limit: 80n } });
  expect(await findOomKill(pod, container, true)).toBe(
    'the kernel killed 2 processes of the container: ' +
      'the pod\'s cgroup "/kubepods/pod1" reached its memory limit of 80 bytes',
  );
  const above = fakeGroups({ ...killed, '/kubepods': { reached: true, limit: 100n, peak: 99n } });
  expect(await findOomKill(above, container, true)).toContain('cgroup "/kubepods" reached its memory limit');
});

test('it says when no limit was reached, but the node had no more', async () => {
  const groups = fakeGroups({ '/kubepods/pod1/c': { kills: 1, limit: 64n, peak: 50n } });
  expect(await findOomKill(groups, container, false)).toBe(
    'the kernel killed a process of the container: the node was short of memory (at most 50 bytes were used)',
  );
});

test('if the cgroup is gone already, what the shim saw and what was asked for must do', async () => {
  expect(await findOomKill(fakeGroups({}), container, true)).toBe(
    'the kernel killed a process of the container: the container reached its memory limit of 64 bytes',
  );
});
