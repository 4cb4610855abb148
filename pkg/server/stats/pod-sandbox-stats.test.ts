import { expect, test } from 'vitest';
import { testCall } from '../../base/testing/call.ts';
import { aUsage } from '../../stats/testing/usage.ts';
import { statsServices } from './stats-services.ts';
import { podGroupOf } from './subjects.ts';
import { allOf } from './testing/all-of.ts';
import { aReadySandbox, aRunningContainer, FakeNode } from './testing/node.ts';

const { config, id } = aReadySandbox;

test('PodSandboxStats has what the group of the pod uses, its network, and its containers', async () => {
  const { podSandboxStats, listContainerStats } = statsServices(new FakeNode().deps);
  const carried = {
    rxBytes: { value: 1_296n },
    rxErrors: { value: 1n },
    txBytes: { value: 656n },
    txErrors: { value: 3n },
  };

  const { stats } = await podSandboxStats(testCall, { podSandboxId: id });

  const containers = await allOf(listContainerStats(testCall, { filter: undefined }));
  expect(stats).toMatchObject({
    attributes: { id, metadata: config.metadata, labels: { app: 'web' }, annotations: { note: 'kept' } },
    linux: {
      cpu: { usageCoreNanoSeconds: { value: aUsage.cpu.usageNs } },
      memory: { workingSetBytes: { value: aUsage.memory.workingSetBytes } },
      io: { timestamp: aUsage.takenAtNs },
      process: { timestamp: aUsage.takenAtNs, processCount: { value: 4n } },
      network: {
        timestamp: 7n,
        defaultInterface: { name: 'eth0', ...carried },
        interfaces: [{ name: 'net1', ...carried }],
      },
      containers,
    },
  });
});

test('a pod without a group of its own uses what its parts use', async () => {
  const node = new FakeNode();
  const sandbox = { ...aReadySandbox, cgroupPath: `/davit/${id}` };
  node.sandboxes = [sandbox];
  node.groups[sandbox.cgroupPath] = aUsage;

  const { stats } = await statsServices(node.deps).podSandboxStats(testCall, { podSandboxId: id });

  expect(stats?.linux?.cpu?.usageCoreNanoSeconds).toEqual({ value: 2n * aUsage.cpu.usageNs });
  expect(stats?.linux?.process?.processCount).toEqual({ value: 6n });
});

test('a pod on the network of the node has no network of its own', async () => {
  const node = new FakeNode();
  node.sandboxes = [{ ...aReadySandbox, config: { ...config, network: 'node' } }];

  const { stats } = await statsServices(node.deps).podSandboxStats(testCall, { podSandboxId: id });

  expect(stats?.linux?.network).toBeUndefined();
});

test.each([
  ['/kubepods/burstable/podu-1', '/kubepods/burstable/podu-1'],
  ['/kubepods.slice/kubepods-podu_1.slice', '/kubepods.slice/kubepods-podu_1.slice'],
  ['/davit', undefined],
  ['/kubepods/podother', undefined],
])('of a pod with the uid "u-1" in "%s" the group is %s', (parent, group) => {
  expect(podGroupOf({ ...aReadySandbox, cgroupPath: `${parent}/${id}` })).toBe(group);
});

test('pods that have been stopped are not listed, and the filter holds', async () => {
  const node = new FakeNode();
  node.sandboxes = [aReadySandbox, { ...aReadySandbox, state: { phase: 'stopped' } }];
  const { listPodSandboxStats } = statsServices(node.deps);
  const countOf = async (labelSelector: Record<string, string>, wanted = '') =>
    (await allOf(listPodSandboxStats(testCall, { filter: { id: wanted, labelSelector } }))).length;

  expect([await countOf({}), await countOf({ app: 'db' }), await countOf({}, 'f00')]).toEqual([1, 0, 0]);
});

test('the stream has what the list has', async () => {
  const { listPodSandboxStats, streamPodSandboxStats } = statsServices(new FakeNode().deps);

  const messages = await Array.fromAsync(streamPodSandboxStats(testCall, { filter: undefined }));

  const stats = await allOf(listPodSandboxStats(testCall, { filter: undefined }));
  expect(messages).toEqual([{ podSandboxStats: stats }]);
  expect(aRunningContainer.sandboxId).toBe(id);
});
