// The main path with crun instead of runc: a pod with a container, from nothing to nothing.

import { expect, test } from 'vitest';
import { ContainerState, NamespaceMode } from '../../api/cri/generated/types.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const MIB = 1024n * 1024n;

test('a pod of crun runs, is asked, and goes', async () => {
  const pod = await TestPod.run(node, { handler: 'crun' });
  const container = await pod.start({
    command: ['sh', '-c', 'trap "exit 5" TERM; echo ready; sleep 1000 & wait'],
  });
  await container.waitForLog('ready');
  expect((await pod.status()).runtimeHandler).toBe('crun');
  expect(await container.exec(['sh', '-c', 'hostname; exit 3'])).toEqual({
    stdout: `${pod.config.hostname ?? ''}\n`,
    stderr: '',
    exitCode: 3,
  });
  await container.stop();
  expect(await container.status()).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 5 });
  await pod.remove();
});

test('limits are set and changed with crun', async () => {
  const pod = await TestPod.run(node, { handler: 'crun' });
  const container = await pod.start({ resources: { memoryLimitInBytes: 64n * MIB } });
  const linux = { memoryLimitInBytes: 96n * MIB };
  await node.client.updateContainerResources({ containerId: container.id, linux });
  const file = '/sys/fs/cgroup/memory/memory.limit_in_bytes';
  const script = `cat ${file} 2>/dev/null || cat /sys/fs/cgroup/memory.max`;
  expect((await container.exec(['sh', '-c', script])).stdout.trim()).toBe(String(96n * MIB));
});

test('a container of crun that takes too much memory has the reason OOMKilled', async () => {
  const pod = await TestPod.run(node, { handler: 'crun' });
  const resources = { memoryLimitInBytes: 16n * MIB };
  const container = await pod.start({ command: ['sh', '-c', 'exec tail /dev/zero'], resources });
  expect(await container.waitForExit()).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
});

test('a command that runs for too long is killed with all that it started with crun, too', async () => {
  const pod = await TestPod.run(node, { handler: 'crun' });
  const container = await pod.start();
  const { code } = await refusalOf(container.exec(['sh', '-c', 'setsid sleep 4567 & sleep 4567'], 1));
  expect(code).toBe('DEADLINE_EXCEEDED');
  expect((await container.exec(['ps', '-o', 'args'])).stdout).not.toContain('sleep 4567');
});

test('a pod of crun may share its pid namespace', async () => {
  const pod = await TestPod.run(node, { handler: 'crun', namespaces: { pid: NamespaceMode.POD } });
  await pod.start({ name: 'other', command: ['sleep', '5678'] });
  expect(await pod.output(['ps', '-o', 'args'])).toContain('sleep 5678');
});

test('a container of crun survives the daemon', async () => {
  const pod = await TestPod.run(node, { handler: 'crun' });
  const container = await pod.start();
  const { pid } = await container.info();
  await node.kill9();
  await node.start();
  expect((await container.info()).pid).toBe(pid);
  await container.stop();
  expect(await container.status()).toMatchObject({ exitCode: 0, reason: 'Completed' });
});

test('a program that is missing is told by crun as by runc', async () => {
  const pod = await TestPod.run(node, { handler: 'crun' });
  const { code, message } = await refusalOf(pod.start({ command: ['/no/such/program'] }));
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain('/no/such/program');
});
