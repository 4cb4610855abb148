// As cAdvisor asks: over a socket, with containerd's names.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { status } from '@grpc/grpc-js';
import { SocketChannel } from '../../../api/channel.ts';
import { GeneratedClient as ContainersClient } from '../../../api/containerd-containers/generated/client.ts';
import { GeneratedClient as TasksClient } from '../../../api/containerd-tasks/generated/client.ts';
import { Status } from '../../../api/containerd-tasks/generated/types.ts';
import { GeneratedClient as VersionClient } from '../../../api/containerd-version/generated/client.ts';
import { silentLog } from '../../base/testing/call.ts';
import { aContainer } from '../../container/testing/container.ts';
import { aReadySandbox, aRunningContainer, FakeNode } from '../stats/testing/node.ts';
import { GrpcServer } from '../serve.ts';
import { cadvisorServices } from './cadvisor-services.ts';

let dir: string;
let node: FakeNode;
let server: GrpcServer;
let channel: SocketChannel;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'davit-test-cadvisor-'));
  node = new FakeNode();
  const socketPath = join(dir, 'cadvisor.sock');
  const deps = { ...node.deps, version: '1.2.3' };
  server = await GrpcServer.listenFor({ socketPath, log: silentLog }, cadvisorServices(deps));
  channel = new SocketChannel(socketPath);
});
afterEach(async () => {
  channel[Symbol.dispose]();
  await server.stop(0);
  await rm(dir, { recursive: true });
});

test('Version answers, so that cAdvisor believes that there is a containerd', async () => {
  expect(await new VersionClient(channel).version({})).toEqual({ version: '1.2.3', revision: 'davit' });
});

test('a container has its labels, its image, and a specification that says nothing', async () => {
  const { container } = await new ContainersClient(channel).get({ id: aRunningContainer.id });
  expect({ ...container, spec: undefined }).toEqual({
    id: aRunningContainer.id,
    labels: { ...aRunningContainer.labels, 'io.cri-containerd.kind': 'container' },
    image: aRunningContainer.image.name,
    spec: undefined,
  });
  expect(JSON.parse(Buffer.from(container?.spec?.value ?? []).toString())).toEqual({
    ociVersion: '1.0.2',
    process: { cwd: '/', args: [], env: [] },
  });
});

test('a pod is a container of the kind "sandbox", with the labels by which the kubelet knows it', async () => {
  const { container } = await new ContainersClient(channel).get({ id: aReadySandbox.id });
  expect(container?.labels).toEqual({
    app: 'web',
    'io.cri-containerd.kind': 'sandbox',
    'io.kubernetes.pod.name': 'web',
    'io.kubernetes.pod.namespace': 'default',
    'io.kubernetes.pod.uid': 'u-1',
  });
});

test('a task is the first process of a container; that of a pod, of the container that runs longest', async () => {
  const younger = {
    ...aContainer(
      {
        phase: 'running',
        process: { pid: 99, startTicks: '1' },
        shim: { pid: 98, startTicks: '1' },
        startedAtNs: 9n,
      },
      'd'.repeat(64),
    ),
    createdAtNs: aRunningContainer.createdAtNs + 1n,
  };
  node.containers = [younger, aRunningContainer];
  const tasks = new TasksClient(channel);
  const process = { pid: 4242, status: Status.RUNNING };
  expect(await tasks.get({ containerId: aRunningContainer.id })).toEqual({
    process: { id: aRunningContainer.id, ...process },
  });
  expect(await tasks.get({ containerId: aReadySandbox.id })).toEqual({
    process: { id: aReadySandbox.id, ...process },
  });
});

test('what does not run, or is not there, is not found: cAdvisor asks again', async () => {
  node.containers = [aContainer({ phase: 'creating' }, 'e'.repeat(64))];
  const tasks = new TasksClient(channel);
  const notFound = { code: status.NOT_FOUND };
  await expect(tasks.get({ containerId: 'e'.repeat(64) })).rejects.toMatchObject(notFound);
  await expect(tasks.get({ containerId: aReadySandbox.id })).rejects.toMatchObject(notFound);
  await expect(new ContainersClient(channel).get({ id: 'f'.repeat(64) })).rejects.toMatchObject(notFound);
});

test('nothing else of containerd or the CRI is on this socket', async () => {
  const { CriClient } = await import('../../../api/cri/client.ts');
  using client = new CriClient(join(dir, 'cadvisor.sock'));
  await expect(client.listContainers()).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
});
