// The life of a pod sandbox: run, found, stopped, removed.

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PodSandboxState, type PodSandbox } from '../../api/cri/generated/types.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

async function listIds(filter: Parameters<typeof node.client.listPodSandbox>[0] = {}): Promise<string[]> {
  const { items } = await node.client.listPodSandbox(filter);
  return items.map(({ id }) => id).sort();
}

test('a pod that was run is READY and is told back as it was asked for', async () => {
  const pod = await TestPod.run(node, { name: 'web' });
  const status = await pod.status();
  expect(pod.id).toMatch(/^[0-9a-f]{64}$/);
  expect(status).toMatchObject({
    id: pod.id,
    metadata: pod.config.metadata,
    state: PodSandboxState.SANDBOX_READY,
    labels: pod.config.labels,
    annotations: pod.config.annotations,
    runtimeHandler: 'runc',
    linux: { namespaces: { options: { network: 0, pid: 1, ipc: 0 } } },
  });
});

test('the time of creation is now, to the nanosecond and not rounded to seconds', async () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const pod = await TestPod.run(node);
  const { createdAt } = await pod.status();
  expect(createdAt).toBeGreaterThanOrEqual(before - 1_000_000n);
  expect(createdAt).toBeLessThanOrEqual(BigInt(Date.now() + 1) * 1_000_000n);
  expect(createdAt % 1_000_000_000n).not.toBe(0n);
});

test('the same attempt asked for twice is one pod', async () => {
  const config = podConfig(node);
  const first = await node.client.runPodSandbox({ config });
  const second = await node.client.runPodSandbox({ config });
  expect(second.podSandboxId).toBe(first.podSandboxId);
});

test('the same attempt asked for twice at the same time is one pod', async () => {
  const config = podConfig(node);
  const answers = await Promise.all([
    node.client.runPodSandbox({ config }),
    node.client.runPodSandbox({ config }),
    node.client.runPodSandbox({ config }),
  ]);
  expect(new Set(answers.map(({ podSandboxId }) => podSandboxId)).size).toBe(1);
  expect(await listIds()).toHaveLength(1);
});

test('the next attempt at the same pod is another pod', async () => {
  const config = podConfig(node);
  const first = await node.client.runPodSandbox({ config });
  const next = await node.client.runPodSandbox({
    config: { ...config, metadata: { ...config.metadata, attempt: 1 } },
  });
  expect(next.podSandboxId).not.toBe(first.podSandboxId);
});

test('a stopped pod is NOTREADY, keeps its record, and may be stopped again', async () => {
  const pod = await TestPod.run(node);
  await pod.stop();
  await pod.stop();
  const status = await pod.status();
  expect(status.state).toBe(PodSandboxState.SANDBOX_NOTREADY);
  expect(status.metadata).toMatchObject({ ...pod.config.metadata });
});

test('a stopped attempt is not run again', async () => {
  const config = podConfig(node);
  const { podSandboxId } = await node.client.runPodSandbox({ config });
  await node.client.stopPodSandbox({ podSandboxId });
  expect(await refusalOf(node.client.runPodSandbox({ config }))).toEqual({
    code: 'ALREADY_EXISTS',
    message: `cannot run pod "e2e/${config.metadata?.name ?? ''}" attempt 0: its sandbox "${podSandboxId}" is stopped; remove it first`,
  });
});

test('a removed pod is gone, and may be removed and stopped again', async () => {
  const pod = await TestPod.run(node);
  await pod.remove();
  await pod.remove();
  await pod.stop();
  expect(await refusalOf(pod.status())).toEqual({
    code: 'NOT_FOUND',
    message: `cannot find pod sandbox "${pod.id}"`,
  });
});

test('removing a pod that is ready stops it and its containers', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { pid } = await container.info();
  await pod.remove();
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  expect((await node.client.listContainers()).containers).toEqual([]);
});

test('two pods under one name are told apart by their uid', async () => {
  const [first, second] = [
    await TestPod.run(node, { name: 'web' }),
    await TestPod.run(node, { name: 'web' }),
  ];
  expect(first.id).not.toBe(second.id);
});

test('a list takes the id, the beginning of one, the state and labels, and all of them must fit', async () => {
  const [ready, stopped] = [await TestPod.run(node, { name: 'a' }), await TestPod.run(node, { name: 'b' })];
  await stopped.stop();
  const state = { state: PodSandboxState.SANDBOX_READY };
  const labelSelector = { 'io.kubernetes.pod.name': 'b' };
  expect(await listIds()).toEqual([ready.id, stopped.id].sort());
  expect(await listIds({ filter: { id: ready.id } })).toEqual([ready.id]);
  expect(await listIds({ filter: { id: ready.id.slice(0, 20) } })).toEqual([ready.id]);
  expect(await listIds({ filter: { state } })).toEqual([ready.id]);
  expect(await listIds({ filter: { labelSelector } })).toEqual([stopped.id]);
  expect(await listIds({ filter: { state, labelSelector } })).toEqual([]);
  expect(await listIds({ filter: { id: 'nobody' } })).toEqual([]);
});

test('the streamed list is the list', async () => {
  await Promise.all([TestPod.run(node), TestPod.run(node), TestPod.run(node)]);
  const streamed: PodSandbox[] = [];
  for await (const { podSandboxes } of node.client.streamPodSandboxes()) streamed.push(...podSandboxes);
  expect(streamed).toEqual((await node.client.listPodSandbox()).items);
  expect(streamed).toHaveLength(3);
});

test('the verbose status tells where the namespaces are, and how the start went', async () => {
  const pod = await TestPod.run(node);
  const { info } = await node.client.podSandboxStatus({ podSandboxId: pod.id, verbose: true });
  const { namespaces } = JSON.parse(info['info'] ?? '') as { namespaces: Record<string, string> };
  expect(Object.keys(namespaces)).toEqual(['net', 'uts', 'ipc']);
  expect(Object.values(namespaces).map((path) => existsSync(path))).toEqual([true, true, true]);
  expect(JSON.parse(info['timeline'] ?? '')).toContainEqual(
    expect.objectContaining({ name: 'attach network' }),
  );
});
