// The socket for the kubelet's cAdvisor, of the real daemon, with a pod: asked as cAdvisor asks.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SocketChannel } from '../../api/channel.ts';
import { GeneratedClient as ContainersClient } from '../../api/containerd-containers/generated/client.ts';
import { GeneratedClient as TasksClient } from '../../api/containerd-tasks/generated/client.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const dir = mkdtempSync(join(tmpdir(), 'davit-e2e-cadvisor-'));
const socket = join(dir, 'cadvisor.sock');
const node = useNode({ config: `[cadvisor]\nsocket = "${socket}"\n` });

afterAll(() => {
  rmSync(dir, { recursive: true });
});

test('by the id in the name of a cgroup cAdvisor finds the labels and a process, of containers and pods', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { pid, cgroupPath } = await container.info();
  using channel = new SocketChannel(socket);
  const id = /[a-z0-9]{64}/.exec(basename(cgroupPath))?.[0] ?? '';
  const found = await new ContainersClient(channel).get({ id });
  expect(found.container?.labels).toMatchObject({
    'io.kubernetes.pod.namespace': 'e2e',
    'io.kubernetes.container.name': 'main',
    'io.cri-containerd.kind': 'container',
  });
  const tasks = new TasksClient(channel);
  expect((await tasks.get({ containerId: id })).process?.pid).toBe(pid);
  const ofPod = (await tasks.get({ containerId: pod.id })).process?.pid;
  expect(readFileSync(`/proc/${ofPod}/net/dev`, 'utf8')).toContain('eth0');
});
