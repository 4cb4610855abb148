// GetContainerEvents, as an evented kubelet reads it: every change of state, in order, with the whole pod.

import { expect, test } from 'vitest';
import {
  ContainerEventType,
  ContainerState,
  PodSandboxState,
  type ContainerEventResponse,
} from '../../api/cri/generated/types.ts';
import { CriClient } from '../../api/cri/client.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** Reads events from now on; once this returns, none is missed. */
async function follow(client: CriClient): Promise<{ events: ContainerEventResponse[] } & AsyncDisposable> {
  const before = await subscriptions();
  const gone = new AbortController();
  const events: ContainerEventResponse[] = [];
  const reading = (async () => {
    for await (const event of client.getContainerEvents({}, { signal: gone.signal })) events.push(event);
  })().catch(() => undefined); // it ends when it is told to
  await eventually('it listens', async () => (await subscriptions()) > before);
  return {
    events,
    [Symbol.asyncDispose]: async () => {
      gone.abort();
      await reading;
    },
  };
}

async function subscriptions(): Promise<number> {
  const { operations } = await node.davit.listOperations({});
  return operations.filter(({ method }) => method === 'GetContainerEvents').length;
}

const { CONTAINER_CREATED_EVENT, CONTAINER_STARTED_EVENT, CONTAINER_STOPPED_EVENT, CONTAINER_DELETED_EVENT } =
  ContainerEventType;

test('the life of a pod is told in order, each time with the pod and its containers as they are', async () => {
  await using following = await follow(node.client);
  const { events } = following;
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'exit 3'] });
  await container.waitForExit();
  await container.remove();
  await pod.stop();
  await pod.remove();
  await eventually('all has been told', () => events.length >= 8);

  expect(events.map(({ containerId, containerEventType }) => [containerId, containerEventType])).toEqual([
    [pod.id, CONTAINER_CREATED_EVENT],
    [pod.id, CONTAINER_STARTED_EVENT],
    [container.id, CONTAINER_CREATED_EVENT],
    [container.id, CONTAINER_STARTED_EVENT],
    [container.id, CONTAINER_STOPPED_EVENT],
    [container.id, CONTAINER_DELETED_EVENT],
    [pod.id, CONTAINER_STOPPED_EVENT],
    [pod.id, CONTAINER_DELETED_EVENT],
  ]);
  const times = events.map(({ createdAt }) => createdAt);
  expect(times).toEqual(times.toSorted((a, b) => Number(a - b)));
  expect(new Set(times).size).toBe(8);
  const { SANDBOX_READY, SANDBOX_NOTREADY } = PodSandboxState;
  expect(events.map(({ podSandboxStatus }) => podSandboxStatus?.state)).toEqual([
    ...Array.from({ length: 6 }, () => SANDBOX_READY),
    SANDBOX_NOTREADY,
    SANDBOX_NOTREADY,
  ]);
  const { CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_EXITED } = ContainerState;
  const told = events.map(({ containersStatuses }) => containersStatuses.map(({ state }) => state));
  expect(told).toEqual([[], [], [CONTAINER_CREATED], [CONTAINER_RUNNING], [CONTAINER_EXITED], [], [], []]);
  expect(events[4]?.containersStatuses).toMatchObject([{ exitCode: 3, reason: 'Error' }]);
  expect(events[0]?.podSandboxStatus).toMatchObject({
    id: pod.id,
    metadata: { uid: pod.config.metadata?.uid },
  });
});

test('one that does not read keeps nobody waiting', async () => {
  using deaf = new CriClient(node.place.socket);
  const gone = new AbortController();
  const unread = deaf.getContainerEvents({}, { signal: gone.signal })[Symbol.asyncIterator]();
  const first = unread.next();
  await using following = await follow(node.client);
  const pod = await TestPod.run(node);
  await first; // from here on it reads nothing
  for (let count = 0; count < 3; count++) await pod.output(['true']);
  await eventually('the other has been told of all', () => {
    const stopped = following.events.filter((event) => event.containerEventType === CONTAINER_STOPPED_EVENT);
    return stopped.length === 3;
  });
  gone.abort();
  await unread.return?.();
});
