import { expect, test } from 'vitest';
import type { ContainerStatsFilter } from '../../../api/cri/generated/types.ts';
import type { ContainerId } from '../../base/id.ts';
import { testCall } from '../../base/testing/call.ts';
import { aContainer } from '../../container/testing/container.ts';
import { statsServices } from './stats-services.ts';
import { allOf } from './testing/all-of.ts';
import { aRunningContainer, FakeNode } from './testing/node.ts';

const ID = aRunningContainer.id;
const TAKEN = 1_755_000_000_123_456_789n;
const attributes = {
  id: ID,
  metadata: { name: 'web', attempt: 0 },
  labels: { app: 'web' },
  annotations: {},
};
const averages = { avg10: 1.5, avg60: 0.75, avg300: 0.25 };
const psi = (total: bigint) => ({ some: { total, ...averages }, full: { total: total - 1n, ...averages } });

test('ContainerStats has everything that is known', async () => {
  const { containerStats } = statsServices(new FakeNode().deps);

  expect(await containerStats(testCall, { containerId: ID.slice(0, 12) })).toEqual({
    stats: {
      attributes,
      cpu: {
        timestamp: TAKEN,
        usageCoreNanoSeconds: { value: 2_345_678_901n },
        usageNanoCores: { value: 250_000_000n },
        psi: psi(1_001n),
      },
      memory: {
        timestamp: TAKEN,
        workingSetBytes: { value: 116_958_004n },
        availableBytes: { value: 151_477_452n },
        usageBytes: { value: 130_150_400n },
        rssBytes: { value: 90_133_708n },
        pageFaults: { value: 25_891_608n },
        majorPageFaults: { value: 4_256n },
        psi: psi(2_001n),
      },
      swap: {
        timestamp: TAKEN,
        swapUsageBytes: { value: 8_192n },
        swapAvailableBytes: { value: 268_427_264n },
      },
      io: { timestamp: TAKEN, psi: psi(3_001n) },
      writableLayer: {
        timestamp: 8n,
        fsId: { mountpoint: '/var/lib/davit' },
        usedBytes: { value: 40_960n },
        inodesUsed: { value: 12n },
      },
    },
  });
});

test('a container whose group and layer are gone keeps its attributes', async () => {
  const node = new FakeNode();
  node.groups = {};
  node.layers = {};
  const { listContainerStats } = statsServices(node.deps);

  expect(await allOf(listContainerStats(testCall, { filter: undefined }))).toEqual([{ attributes }]);
});

test('ContainerStats of a container that is not there is a fault', async () => {
  const { containerStats } = statsServices(new FakeNode().deps);
  await expect(containerStats(testCall, { containerId: 'f00' })).rejects.toMatchObject({ code: 'not_found' });
});

test.each<[string, Partial<ContainerStatsFilter>, number]>([
  ['nothing', {}, 1],
  ['the beginning of its id', { id: ID.slice(0, 12) }, 1],
  ['another id', { id: 'f00' }, 0],
  ['its sandbox', { podSandboxId: aRunningContainer.sandboxId }, 1],
  ['another sandbox', { podSandboxId: 'f00' }, 0],
  ['its label', { labelSelector: { app: 'web' } }, 1],
  ['another label', { labelSelector: { app: 'db' } }, 0],
  ['its id, but another sandbox', { id: ID, podSandboxId: 'f00' }, 0],
])('a filter for %s leaves as many: %j, %i', async (_, filter, count) => {
  const { listContainerStats } = statsServices(new FakeNode().deps);
  const whole = { id: '', podSandboxId: '', labelSelector: {}, ...filter };

  const stats = await allOf(listContainerStats(testCall, { filter: whole }));

  expect(stats).toHaveLength(count);
});

test('containers that have ended are not listed', async () => {
  const node = new FakeNode();
  const over = { exitCode: 0, startedAtNs: 1n, finishedAtNs: 2n, reason: 'Completed', message: '' };
  node.containers = [
    aContainer({ phase: 'creating' }),
    aContainer({ phase: 'exited', ...over }),
    aContainer({ phase: 'removing', last: undefined }),
  ];
  const { listContainerStats } = statsServices(node.deps);
  expect(await allOf(listContainerStats(testCall, { filter: undefined }))).toEqual([]);
});

test('the stream has what the list has, in as many parts', async () => {
  const node = new FakeNode();
  node.containers = Array.from({ length: 100 }, (_, index) => ({
    ...aRunningContainer,
    id: index.toString(16).padStart(64, '0') as ContainerId,
  }));
  const { listContainerStats, streamContainerStats } = statsServices(node.deps);

  const messages = await Array.fromAsync(streamContainerStats(testCall, { filter: undefined }));

  const parts = await Array.fromAsync(listContainerStats(testCall, { filter: undefined }));
  expect(messages).toEqual(parts.map(({ stats }) => ({ containerStats: stats })));
  expect(parts.flatMap(({ stats }) => stats?.map((each) => each.attributes?.id))).toEqual(
    node.containers.map(({ id }) => id),
  );
  expect(parts.length).toBeGreaterThan(2);
});
