// What a pod is said to use, in stats and metrics, beside what the kernel says and what is known of its program. The
// kernel is asked before and after: what the daemon says lies between, however fast or slow everything is.

import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { ContainerStats, LinuxPodSandboxStats, Metric } from '../../api/cri/generated/types.ts';
import type { TestContainer } from './harness/container.ts';
import { countDiskWrites } from './harness/cgroups.ts';
import { eventually } from './harness/eventually.ts';
import * as kernel from './harness/kernel-usage.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const MIB = 1024 * 1024;
/** No answer is older than this. */
const SAMPLE_MS = 1000;
/** Memory of the kernel's own bookkeeping, in which it may be late. */
const SLACK_BYTES = 2 * MIB;

interface Told {
  readonly stats: ContainerStats;
  readonly pod: LinuxPodSandboxStats;
  /** The sum of the rows of a metric that have all these label values. */
  readonly metric: (name: string, ...labels: readonly string[]) => number;
}

/** All three ways to ask, about one sample: older ones are too old by now. */
async function ask(container: TestContainer): Promise<Told> {
  await delay(SAMPLE_MS + 50);
  const { client } = node;
  const [{ podMetrics }, { stats }, { stats: pod }] = await Promise.all([
    client.listPodSandboxMetrics({}),
    client.containerStats({ containerId: container.id }),
    client.podSandboxStats({ podSandboxId: container.pod.id }),
  ]);
  const metrics = podMetrics.filter(({ podSandboxId }) => podSandboxId === container.pod.id);
  const rows: Metric[] = metrics.flatMap(({ metrics: own, containerMetrics }) => [
    ...own,
    ...containerMetrics.flatMap((each) => each.metrics),
  ]);
  return {
    stats: stats!,
    pod: pod!.linux!,
    metric: (name, ...labels) => {
      const found = rows.filter(
        (row) => row.name === name && labels.every((l) => row.labelValues.includes(l)),
      );
      expect(found.length, name).toBeGreaterThan(0);
      return found.reduce((total, { value }) => total + Number(value?.value), 0);
    },
  };
}

function expectBetween(value: unknown, low: number, high: number, what: string): void {
  expect(Number(value), what).toBeGreaterThanOrEqual(low);
  expect(Number(value), what).toBeLessThanOrEqual(high);
}

function withVolume(...lines: readonly string[]): Parameters<TestPod['start']>[0] {
  const hostPath = mkdtempSync(join(node.place.dir, 'volume-'));
  const mounts = [{ hostPath, containerPath: '/volume' }];
  return { command: ['sh', '-c', lines.join('\n')], config: { mounts } };
}

test('processor time is what the kernel says, and so is the waiting for it', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start(
    withVolume(
      // The 14th field is the time that the shell itself has used, in hundredths of a second.
      'while read -r a b c d e f g h i j k l m user rest < /proc/self/stat && [ "$user" -lt 50 ]; do :; done',
      'echo ready; sleep 1000',
    ),
  );
  await container.waitForLog('ready');
  const { cgroupPath } = await container.info();

  const look = () => ({
    own: kernel.cpuNs(cgroupPath),
    pod: kernel.cpuNs(join(cgroupPath, '..')),
    waitedUs: kernel.pressureUs(cgroupPath, 'cpu'),
  });
  const before = look();
  const { stats, pod: podStats, metric } = await ask(container);
  const after = look();

  expect(before.own).toBeGreaterThan(500e6);
  expectBetween(stats.cpu?.usageCoreNanoSeconds?.value, before.own, after.own, 'of the container');
  expectBetween(podStats.cpu?.usageCoreNanoSeconds?.value, before.pod, after.pod, 'of the pod');
  const seconds = metric('container_cpu_usage_seconds_total', container.id);
  expectBetween(seconds, Math.floor(before.own / 1e9), Math.floor(after.own / 1e9), 'in the metrics');
  const waited = stats.cpu?.psi?.some?.total;
  if (before.waitedUs === undefined) expect(waited).toBeUndefined();
  else expectBetween(waited, before.waitedUs, after.waitedUs ?? 0, 'waited');
});

test('the rate is that between two samples', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'while :; do :; done'] });
  const point = async () => {
    const { cpu } = (await ask(container)).stats;
    const ns = Number(cpu?.usageCoreNanoSeconds?.value);
    return { ns, takenAtNs: Number(cpu?.timestamp), nanoCores: Number(cpu?.usageNanoCores?.value) };
  };
  const first = await point();
  const second = await point();
  const seconds = (second.takenAtNs - first.takenAtNs) / 1e9;
  const nanoCores = (second.ns - first.ns) / seconds;
  expect(nanoCores).toBeGreaterThan(1e6); // it runs, however little it is given
  expectBetween(second.nanoCores / nanoCores, 0.999, 1.001, 'of what both say');
});

test('memory is what the kernel says', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({
    command: ['sh', '-c', 'dd if=/dev/zero bs=32M count=1 2>/dev/null | sleep 1000 & wait'], // of what nobody reads
  });
  const { cgroupPath } = await container.info();
  await eventually('it holds its memory', () => kernel.rssBytes(cgroupPath) >= 32 * MIB);

  const { stats, pod: podStats, metric } = await ask(container);

  const rss = kernel.rssBytes(cgroupPath);
  const expectRss = (value: unknown, what: string) => {
    expectBetween(value, rss - SLACK_BYTES, rss + SLACK_BYTES, what);
  };
  expect(rss).toBeLessThan(48 * MIB);
  const memory = stats.memory!;
  expectRss(memory.rssBytes?.value, 'of the container');
  expectRss(podStats.memory?.rssBytes?.value, 'of the pod');
  expectRss(metric('container_memory_rss', container.id), 'in the metrics');
  const { used, inactive } = kernel.memoryBytes(cgroupPath);
  const expectNear = (value: unknown, bytes: number, what: string) => {
    expectBetween(value, bytes - SLACK_BYTES, bytes + SLACK_BYTES, what);
  };
  expectNear(memory.usageBytes?.value, used, 'with the page cache');
  expectNear(memory.workingSetBytes?.value, used - inactive, 'working set');
  expectNear(metric('container_memory_usage_bytes', container.id), used, 'in the metrics');
  expect(memory.psi === undefined).toBe(kernel.pressureUs(cgroupPath, 'memory') === undefined);
});

test('swap and processes are what the kernel says', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'sleep 1000 & sleep 1000 & wait'] });
  const { cgroupPath } = await container.info();
  await eventually('they are there', () => kernel.processCount(cgroupPath) === 3);

  const { stats, pod: podStats, metric } = await ask(container);

  const swap = kernel.swapBytes(cgroupPath);
  expect(stats.swap?.swapUsageBytes?.value).toBe(swap === undefined ? undefined : BigInt(swap));
  expect(metric('container_memory_swap', container.id)).toBe(swap ?? 0);
  expect(podStats.process?.processCount?.value).toBe(3n);
  expect(metric('container_processes', container.id)).toBe(3);
});

test('what goes to disks is what the kernel says', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start(
    withVolume(
      'while ! [ -e /volume/go ]; do usleep 10000; done',
      'dd if=/dev/zero of=/volume/direct bs=1M count=8 oflag=direct 2>/dev/null',
      'echo ready; sleep 1000',
    ),
  );
  const { cgroupPath } = await container.info();
  const isCounted = countDiskWrites(cgroupPath, node.place.dir);
  await container.exec(['touch', '/volume/go']);
  await container.waitForLog('ready');

  const written = kernel.writtenBytes(cgroupPath);
  const { stats, metric } = await ask(container);

  expect(written).toBeGreaterThanOrEqual(isCounted ? 8 * MIB : 0);
  const told = metric('container_fs_writes_bytes_total', container.id);
  expectBetween(told, written, kernel.writtenBytes(cgroupPath), 'written');
  expect(stats.io?.psi === undefined).toBe(kernel.pressureUs(cgroupPath, 'io') === undefined);
});

test('what is written to its layer, not to its volumes, and what is sent and received is counted', async () => {
  const pod = await TestPod.run(node);
  const gateway = `${node.place.network}.1`;
  const container = await pod.start(
    withVolume(
      'dd if=/dev/zero of=/in-layer bs=1M count=4 conv=fsync 2>/dev/null',
      'dd if=/dev/zero of=/volume/file bs=1M count=8 conv=fsync 2>/dev/null',
      `ping -A -c 20 -s 1000 ${gateway} > /dev/null`,
      'echo ready; sleep 1000',
    ),
  );
  await container.waitForLog('ready');
  const { pid } = await container.info();

  await eventually('its layer has been added up', async () => {
    const { stats } = await node.client.containerStats({ containerId: container.id });
    return stats?.writableLayer !== undefined;
  });
  const before = kernel.carriedBytes(pid, 'eth0');
  const { stats, pod: podStats, metric } = await ask(container);
  const after = kernel.carriedBytes(pid, 'eth0');

  const layer = stats.writableLayer!;
  expectBetween(layer.usedBytes?.value, 4 * MIB, 4.25 * MIB, 'bytes of the layer');
  expectBetween(layer.inodesUsed?.value, 2, 20, 'inodes of the layer'); // with the mount points of its volumes
  expect(metric('container_fs_usage_bytes', container.id)).toBe(Number(layer.usedBytes?.value));

  const frames = 20 * (14 + 20 + 8 + 1000); // Ethernet, IP, ICMP, and what it carries
  expect(before.tx).toBeGreaterThanOrEqual(frames);
  const eth0 = podStats.network?.defaultInterface;
  expect(eth0?.name).toBe('eth0');
  expectBetween(eth0?.txBytes?.value, before.tx, after.tx, 'sent');
  expectBetween(eth0?.rxBytes?.value, before.rx, after.rx, 'received');
  expectBetween(metric('container_network_transmit_bytes_total', 'eth0'), before.tx, after.tx, 'sent');
  expectBetween(metric('container_network_receive_bytes_total', 'eth0'), before.rx, after.rx, 'received');
});
