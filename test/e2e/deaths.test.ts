// How a container died, as its status tells it: whose limit it was, how much was used, and which signal.

import { expect, test } from 'vitest';
import { limitPodMemory } from './harness/cgroups.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();
const LIMIT = 16n * 1024n * 1024n;
const HUNGRY = ['sh', '-c', 'exec tail /dev/zero'];

test("a container that reaches its own memory limit is told so, with the limit's bytes", async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: HUNGRY, resources: { memoryLimitInBytes: LIMIT } });
  const { exitCode, reason, message } = await container.waitForExit();
  expect({ exitCode, reason }).toEqual({ exitCode: 137, reason: 'OOMKilled' });
  expect(message).toMatch(
    /^the kernel killed (a process|\d+ processes) of the container: the container reached its memory limit of 16777216 bytes/,
  );
});

test("a container that reaches the pod's limit is told whose it was", async () => {
  const config = podConfig(node);
  const cgroupParent = config.linux?.cgroupParent ?? '';
  limitPodMemory(cgroupParent, LIMIT);
  const pod = await TestPod.run(node, { config });
  const container = await pod.start({ command: HUNGRY });
  const { reason, message } = await container.waitForExit();
  expect(reason).toBe('OOMKilled');
  expect(message).toContain(
    `: the pod's cgroup "${cgroupParent}" reached its memory limit of 16777216 bytes`,
  );
});

test.each([
  ['SEGV', 139, 'killed by SIGSEGV (11)'],
  ['ABRT', 134, 'killed by SIGABRT (6)'],
])('a signal that ended a container is named: %s', async (signal, exitCode, message) => {
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', `sh -c 'kill -${signal} $$'; exit $?`];
  const container = await pod.start({ command });
  expect(await container.waitForExit()).toMatchObject({ exitCode, reason: 'Error', message });
});
