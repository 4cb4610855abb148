// The life of a container: created, started, stopped, removed, and told of in between.

import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ContainerState, Signal, type Container } from '../../api/cri/generated/types.ts';
import { WAIT_FOR_TERM } from './harness/container.ts';
import { patience } from './harness/patience.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { TEST_IMAGE } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** Says which signal came, and goes on. */
const SAY_SIGNALS = [
  'sh',
  '-c',
  'for s in TERM USR1 INT; do trap "echo $s; exit 7" $s; done; echo ready; while :; do sleep 0.05; done',
];

test('a created container is there but does not run', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.create();
  const { image } = await node.client.imageStatus({ image: { image: TEST_IMAGE } });
  expect(container.id).toMatch(/^[0-9a-f]{64}$/);
  expect(await container.status()).toMatchObject({
    id: container.id,
    metadata: { name: 'main', attempt: 0 },
    state: ContainerState.CONTAINER_CREATED,
    image: { image: TEST_IMAGE, userSpecifiedImage: TEST_IMAGE },
    imageRef: image?.id,
    imageId: image?.id,
    logPath: container.logPath,
    startedAt: 0n,
    finishedAt: 0n,
  });
});

test('a container is told back as it was asked for', async () => {
  const pod = await TestPod.run(node);
  const config = {
    metadata: { name: 'web', attempt: 3 },
    labels: { tier: 'front', 'io.kubernetes.container.name': 'web' },
    annotations: { 'example.org/with\nnewline': 'and "quotes"\n' },
    image: { image: TEST_IMAGE, userSpecifiedImage: 'busybox' },
    logPath: 'web/3.log',
  };
  const container = await pod.create({ config });
  const { metadata, labels, annotations } = config;
  const shown = { id: container.id, metadata, labels, annotations, image: config.image };
  expect(await container.status()).toMatchObject({ ...shown, logPath: container.logPath });
  expect((await node.client.listContainers()).containers).toMatchObject([{ ...shown, podSandboxId: pod.id }]);
});

test('the times of a container follow each other', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['true'] });
  const { createdAt, startedAt, finishedAt } = await container.waitForExit();
  expect(createdAt).toBeLessThan(startedAt);
  expect(startedAt).toBeLessThan(finishedAt);
  expect(finishedAt).toBeLessThanOrEqual(BigInt(Date.now() + 1) * 1_000_000n);
});

test('a container that did its work has exit code 0 and the reason Completed', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['true'] });
  expect(await container.waitForExit()).toMatchObject({ exitCode: 0, reason: 'Completed', message: '' });
});

test('a container is not started twice', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  expect(await refusalOf(container.start())).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `cannot start container "${container.id}": it is running`,
  });
});

test('the same attempt asked for twice is one container, until it is started', async () => {
  const pod = await TestPod.run(node);
  const [first, second] = [await pod.create(), await pod.create()];
  expect(second.id).toBe(first.id);
  await first.start();
  expect((await refusalOf(pod.create())).code).toBe('ALREADY_EXISTS');
});

test('the next attempt of a container of the same name is another container', async () => {
  const pod = await TestPod.run(node);
  const first = await pod.create();
  const next = await pod.create({ config: { metadata: { name: 'main', attempt: 1 } } });
  expect(next.id).not.toBe(first.id);
});

test('stopping sends SIGTERM first', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: SAY_SIGNALS });
  await container.waitForLog('ready');
  await container.stop();
  expect(container.logText('stdout')).toBe('ready\nTERM\n');
  expect(await container.status()).toMatchObject({ exitCode: 7, state: ContainerState.CONTAINER_EXITED });
});

test('the stop signal of the pod wins over SIGTERM, and the status tells it', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: SAY_SIGNALS, config: { stopSignal: Signal.SIGNAL_SIGUSR1 } });
  await container.waitForLog('ready');
  await container.stop();
  expect(container.logText('stdout')).toBe('ready\nUSR1\n');
  expect((await container.status()).stopSignal).toBe(Signal.SIGNAL_SIGUSR1);
});

test('a container that does not care is killed when its grace is over, and not before', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'] });
  const begunAt = performance.now();
  await container.stop(1);
  const tookMs = performance.now() - begunAt;
  expect(tookMs).toBeGreaterThan(990);
  expect(tookMs).toBeLessThan(patience(4000));
  expect(await container.status()).toMatchObject({ exitCode: 137, reason: 'Error' });
});

test('no grace at all kills at once', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: SAY_SIGNALS });
  await container.waitForLog('ready');
  await container.stop(0);
  expect(await container.status()).toMatchObject({ exitCode: 137 });
  expect(container.logText('stdout')).toBe('ready\n');
});

test('a stop with less patience shortens one that waits', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'] });
  const begunAt = performance.now();
  await Promise.all([container.stop(1000), container.stop(1)]);
  expect(performance.now() - begunAt).toBeLessThan(patience(10_000));
});

test('stopping may be repeated, also of what has ended, was never started, or is gone', async () => {
  const pod = await TestPod.run(node);
  const [running, created] = [await pod.start(), await pod.create({ name: 'created' })];
  await running.stop();
  await running.stop();
  await created.stop();
  expect((await created.status()).state).toBe(ContainerState.CONTAINER_EXITED);
  await created.remove();
  await created.stop();
});

test('a container with children takes them all along', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'sleep 3333 & sleep 3333 & wait'] });
  const { pid } = await container.info();
  await container.stop(0);
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});

test('removing kills what runs, and may be repeated', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  await container.remove();
  await container.remove();
  expect(await refusalOf(container.status())).toEqual({
    code: 'NOT_FOUND',
    message: `cannot find container "${container.id}"`,
  });
});

test('stopping a pod ends its containers, whose exit is still told', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  await pod.stop();
  expect(await container.status()).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode: 137 });
});

test('a container is not created in a pod that is stopped', async () => {
  const pod = await TestPod.run(node);
  await pod.stop();
  expect(await refusalOf(pod.create())).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `cannot create a container in pod sandbox "${pod.id}": it is stopped`,
  });
});

test('a list takes id, pod, state and labels, and all of them must fit', async () => {
  const [pod, other] = [await TestPod.run(node), await TestPod.run(node)];
  const [a, b, c] = [await pod.start({ name: 'a' }), await pod.create({ name: 'b' }), await other.start()];
  const list = async (filter: object): Promise<string[]> =>
    (await node.client.listContainers({ filter })).containers.map(({ id }) => id).sort();
  const running = { state: ContainerState.CONTAINER_RUNNING };
  expect(await list({})).toEqual([a.id, b.id, c.id].sort());
  expect(await list({ id: b.id.slice(0, 13) })).toEqual([b.id]);
  expect(await list({ podSandboxId: pod.id })).toEqual([a.id, b.id].sort());
  expect(await list({ state: running })).toEqual([a.id, c.id].sort());
  expect(await list({ state: running, podSandboxId: pod.id })).toEqual([a.id]);
  expect(await list({ labelSelector: { 'io.kubernetes.container.name': 'b' } })).toEqual([b.id]);
  expect(await list({ state: running, labelSelector: { 'io.kubernetes.container.name': 'b' } })).toEqual([]);
});

test('the streamed list is the list', async () => {
  const pod = await TestPod.run(node);
  await Promise.all(['a', 'b', 'c'].map((name) => pod.create({ name, command: WAIT_FOR_TERM })));
  const streamed: Container[] = [];
  for await (const { containers } of node.client.streamContainers()) streamed.push(...containers);
  expect(streamed).toEqual((await node.client.listContainers()).containers);
  expect(streamed).toHaveLength(3);
});
