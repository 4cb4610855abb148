import { expect, test } from 'vitest';
import type { MetricInit, PodSandboxMetricsInit } from '../../../api/cri/generated/types.ts';
import { testCall } from '../../base/testing/call.ts';
import type { ContainerId, SandboxId } from '../../base/id.ts';
import { aUsage } from '../../stats/testing/usage.ts';
import { statsServices } from './stats-services.ts';
import { aReadySandbox, aRunningContainer, FakeNode } from './testing/node.ts';

async function metricsOf(node: FakeNode): Promise<readonly PodSandboxMetricsInit[]> {
  const parts = await Array.fromAsync(statsServices(node.deps).listPodSandboxMetrics(testCall, {}));
  return parts.flatMap(({ podMetrics }) => podMetrics ?? []);
}

function rowsOf(pod: PodSandboxMetricsInit | undefined): MetricInit[] {
  return [...(pod?.metrics ?? []), ...(pod?.containerMetrics ?? []).flatMap(({ metrics }) => metrics ?? [])];
}

test('every descriptor says what it is about, and has rows with as many labels', async () => {
  const node = new FakeNode();
  const { descriptors } = await statsServices(node.deps).listMetricDescriptors(testCall, {});
  const rows = rowsOf((await metricsOf(node))[0]);

  const shapes = descriptors!.map(({ name, help, labelKeys }) => {
    const labels = rows.filter((row) => row.name === name).map(({ labelValues }) => labelValues?.length);
    return { name, isHelpful: help !== '', labels: [...new Set(labels)], keys: labelKeys?.length };
  });

  expect(shapes).toHaveLength(56);
  expect(
    shapes.filter(({ isHelpful, labels, keys }) => !isHelpful || labels.join() !== String(keys)),
  ).toEqual([]);
});

test('rows of a container name it, and seconds are whole', async () => {
  const [pod] = await metricsOf(new FakeNode());
  const row = (wanted: string) => pod?.containerMetrics?.[0]?.metrics?.find(({ name }) => name === wanted);
  const labels = [aRunningContainer.id, aRunningContainer.image.name, 'default', 'web', 'web'];
  const timestamp = aUsage.takenAtNs;

  expect(pod?.containerMetrics?.[0]?.containerId).toBe(aRunningContainer.id);
  expect(row('container_cpu_usage_seconds_total')).toEqual({
    name: 'container_cpu_usage_seconds_total',
    timestamp,
    metricType: 0,
    labelValues: [...labels, 'total'],
    value: { value: 2n },
  });
  expect(row('container_start_time_seconds')).toEqual({
    name: 'container_start_time_seconds',
    timestamp,
    metricType: 1,
    labelValues: labels,
    value: { value: 1_754_000_000n },
  });
});

test('the network is the pod\'s, whose container is "POD"', async () => {
  const [pod] = await metricsOf(new FakeNode());
  const received = pod?.metrics?.filter(({ name }) => name === 'container_network_receive_bytes_total');
  const labels = [aReadySandbox.id, '', 'default', 'web', 'POD'];

  expect(received?.map(({ labelValues }) => labelValues)).toEqual([
    [...labels, 'eth0'],
    [...labels, 'net1'],
  ]);
  expect(pod?.metrics?.some(({ name }) => name === 'container_memory_rss')).toBe(false);
});

test('what runs in a pod beside its containers has rows of the pod', async () => {
  const node = new FakeNode();
  node.sandboxes = [{ ...aReadySandbox, config: { ...aReadySandbox.config, pid: 'pod' } }];
  node.groups[aReadySandbox.cgroupPath] = aUsage;

  const [pod] = await metricsOf(node);

  expect(pod?.metrics?.some(({ name }) => name === 'container_memory_rss')).toBe(true);
});

test('a container that has just ended has no rows', async () => {
  const node = new FakeNode();
  node.groups = {};
  const [pod] = await metricsOf(node);
  expect(pod?.containerMetrics).toEqual([]);
});

test('the stream has what the list has, a bounded number of rows in each message', async () => {
  const node = new FakeNode();
  const ids = Array.from({ length: 100 }, (_, index) => index.toString(16).padStart(64, '0'));
  node.sandboxes = ids.map((id) => ({ ...aReadySandbox, id: id as SandboxId }));
  node.containers = ids.map((id) => ({
    ...aRunningContainer,
    id: id as ContainerId,
    sandboxId: id as SandboxId,
  }));

  const messages = await Array.fromAsync(statsServices(node.deps).streamPodSandboxMetrics(testCall, {}));

  const pods = messages.map(({ podSandboxMetrics }) => podSandboxMetrics ?? []);
  const rows = pods.map((each) => each.flatMap(rowsOf).length);
  expect(pods.flat().map(({ podSandboxId }) => podSandboxId)).toEqual(ids);
  expect(messages.length).toBeGreaterThan(1);
  expect(Math.max(...rows)).toBeLessThan(2200);
});
