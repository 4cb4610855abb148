// Limits: in the kernel as they were asked for, changed while the container runs, and what happens at them.

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type {
  LinuxContainerResourcesInit,
  LinuxPodSandboxConfigInit,
  PodSandboxConfigInit,
} from '../../api/cri/generated/types.ts';
import { CGROUP_DRIVER } from './harness/cgroup-driver.ts';
import { hierarchyOf, isCgroupV2 } from './harness/cgroups.ts';
import type { TestContainer } from './harness/container.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const [disk = ''] = readdirSync('/sys/block');

const node = useNode({
  config: `[runtime.blockio_classes.slow]\ndevices = ["/dev/${disk}"]\nread_bytes_per_second = 1000000\n`,
});

const MIB = 1024n * 1024n;

const LIMITS: LinuxContainerResourcesInit = {
  cpuShares: 512n,
  cpuQuota: 50_000n,
  cpuPeriod: 100_000n,
  cpusetCpus: '0',
  memoryLimitInBytes: 64n * MIB,
};

/** The limits as the kernel has them, in the words of version 1. Of processors, those that it may use. */
async function limitsOf(container: TestContainer): Promise<Record<string, string>> {
  const { cgroupPath } = await container.info();
  const read = (controller: string, file: string): string =>
    readFileSync(join(hierarchyOf(controller), cgroupPath, file), 'utf8').trim();
  if (isCgroupV2) {
    const [quota = '', period = ''] = read('cpu', 'cpu.max').split(' ');
    const cpus = read('cpuset', 'cpuset.cpus.effective');
    return { quota, period, cpus, memory: read('memory', 'memory.max') };
  }
  return {
    quota: read('cpu', 'cpu.cfs_quota_us'),
    period: read('cpu', 'cpu.cfs_period_us'),
    cpus: read('cpuset', 'cpuset.cpus'),
    memory: read('memory', 'memory.limit_in_bytes'),
  };
}

test('limits stand in the cgroup of the container, and in its status', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ resources: LIMITS });
  expect(await limitsOf(container)).toEqual({
    quota: '50000',
    period: '100000',
    cpus: '0',
    memory: '67108864',
  });
  expect((await container.status()).resources?.linux).toMatchObject({
    cpuShares: 512n,
    cpuQuota: 50_000n,
    cpuPeriod: 100_000n,
    cpusetCpus: '0',
    memoryLimitInBytes: 64n * MIB,
  });
});

test('an update changes what it names and leaves the rest, in the kernel and in the status', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ resources: LIMITS });
  const linux = { memoryLimitInBytes: 128n * MIB, cpuQuota: 20_000n };
  await node.client.updateContainerResources({ containerId: container.id, linux });
  expect(await limitsOf(container)).toEqual({
    quota: '20000',
    period: '100000',
    cpus: '0',
    memory: '134217728',
  });
  expect((await container.status()).resources?.linux).toMatchObject({
    cpuShares: 512n,
    cpuQuota: 20_000n,
    memoryLimitInBytes: 128n * MIB,
  });
});

test('an update that the kernel refuses in part changes nothing', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ resources: LIMITS });
  const linux = { memoryLimitInBytes: 128n * MIB, cpusetCpus: '4000' };
  const { message } = await refusalOf(
    node.client.updateContainerResources({ containerId: container.id, linux }),
  );
  expect(message).toContain(`cannot update resources of container "${container.id}"`);
  expect(await limitsOf(container)).toMatchObject({ cpus: '0', memory: '67108864' });
  expect((await container.status()).resources?.linux).toMatchObject({ memoryLimitInBytes: 64n * MIB });
});

test('an update that fails takes a limit away again that was not there before', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const before = await limitsOf(container);
  const linux = { memoryLimitInBytes: 64n * MIB, cpuQuota: 50_000n, cpuPeriod: 100_000n, cpusetCpus: '4000' };
  await refusalOf(node.client.updateContainerResources({ containerId: container.id, linux }));
  expect(await limitsOf(container)).toEqual(before);
});

test('the status tells what the kernel has, where it is not what was asked for', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ resources: LIMITS });
  const { cgroupPath } = await container.info();
  const name = isCgroupV2 ? 'memory.max' : 'memory.memsw.limit_in_bytes';
  writeFileSync(join(hierarchyOf('memory'), cgroupPath, name), String(32n * MIB * (isCgroupV2 ? 1n : 3n)));
  const smaller = isCgroupV2 ? '' : 'memory.limit_in_bytes';
  if (smaller !== '') writeFileSync(join(hierarchyOf('memory'), cgroupPath, smaller), String(32n * MIB));
  await node.client.updateContainerResources({ containerId: container.id, linux: { cpuShares: 600n } });
  expect((await container.status()).resources?.linux).toMatchObject({
    memoryLimitInBytes: CGROUP_DRIVER === 'systemd' ? 64n * MIB : 32n * MIB, // systemd writes what it was told again
    cpuShares: 600n,
  });
});

test('limits of a container that has ended are not changed', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['true'] });
  await container.waitForExit();
  const linux = { memoryLimitInBytes: 64n * MIB };
  expect(await refusalOf(node.client.updateContainerResources({ containerId: container.id, linux }))).toEqual(
    {
      code: 'FAILED_PRECONDITION',
      message: `cannot update container "${container.id}": it is exited`,
    },
  );
});

test('a container that takes more memory than it may has the reason OOMKilled', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({
    command: ['sh', '-c', 'exec tail /dev/zero'],
    resources: { memoryLimitInBytes: 16n * MIB },
  });
  expect(await container.waitForExit()).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
});

test('a container that was killed with memory to spare is not OOMKilled', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ resources: { memoryLimitInBytes: 64n * MIB } });
  await container.stop(0);
  expect(await container.status()).toMatchObject({ exitCode: 137, reason: 'Error' });
});

test('oom_score_adj is what was asked for', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ resources: { oomScoreAdj: 777n } });
  const { pid } = await container.info();
  expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8')).toBe('777\n');
});

test('an oom_score_adj that the node may not give does not keep the container from running', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ resources: { oomScoreAdj: -997n } });
  const { pid } = await container.info();
  const given = Number(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8'));
  const lowest = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
  expect([-997, lowest]).toContain(given);
});

test('the status tells the oom_score_adj that the container has', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ resources: { oomScoreAdj: 777n } });
  expect((await container.status()).resources?.linux?.oomScoreAdj).toBe(777n);
});

test('memory and swap together have the limit that was asked for, and without one there is no swap', async () => {
  const pod = await TestPod.run(node);
  const resources = { memoryLimitInBytes: 64n * MIB, memorySwapLimitInBytes: 96n * MIB };
  const swapping = await pod.start({ name: 'swapping', resources });
  const other = await pod.start({ name: 'other', resources: { memoryLimitInBytes: 64n * MIB } });
  expect(await swapOf(swapping)).toBe(32n * MIB);
  expect(await swapOf(other)).toBe(0n);
  expect((await swapping.status()).resources?.linux?.memorySwapLimitInBytes).toBe(96n * MIB);
});

/** How much swap a container may use, as the kernel has it. */
async function swapOf(container: TestContainer): Promise<bigint> {
  const { cgroupPath } = await container.info();
  const read = (name: string) =>
    BigInt(readFileSync(join(hierarchyOf('memory'), cgroupPath, name), 'utf8').trim());
  if (isCgroupV2) return read('memory.swap.max');
  return read('memory.memsw.limit_in_bytes') - read('memory.limit_in_bytes');
}

test('huge pages have the limit that was asked for, where the kernel counts them', async () => {
  const pod = await TestPod.run(node);
  const hugepageLimits = [{ pageSize: '2MB', limit: 4n * MIB }];
  const container = await pod.start({ resources: { hugepageLimits } });
  const { cgroupPath } = await container.info();
  const dir = join(hierarchyOf('hugetlb'), cgroupPath);
  const file = join(dir, isCgroupV2 ? 'hugetlb.2MB.max' : 'hugetlb.2MB.limit_in_bytes');
  const inKernel = existsSync(file) ? [{ pageSize: '2MB', limit: BigInt(readFileSync(file, 'utf8')) }] : [];
  expect((await container.status()).resources?.linux?.hugepageLimits).toEqual(inKernel);
  const linux = { cpuShares: 100n, hugepageLimits }; // as the kubelet always says it
  await node.client.updateContainerResources({ containerId: container.id, linux });
});

test('files of cgroup version 2 have what was asked for, and on version 1 they are refused', async () => {
  const pod = await TestPod.run(node);
  const unified = { 'memory.high': String(48n * MIB) };
  const outcome = await pod.start({ resources: { unified } }).catch((error: unknown) => String(error));
  expect(await tellUnified(outcome)).toBe(isCgroupV2 ? String(48n * MIB) : 'refused');
});

async function tellUnified(outcome: TestContainer | string): Promise<string> {
  if (typeof outcome === 'string') return /unified|cgroup v2/i.test(outcome) ? 'refused' : outcome;
  const { cgroupPath } = await outcome.info();
  return readFileSync(join(hierarchyOf('memory'), cgroupPath, 'memory.high'), 'utf8').trim();
}

test('the kubelet tells of the resources of a whole pod, which are noted and survive the daemon', async () => {
  const memory = (mib: bigint) => ({ memoryLimitInBytes: mib * MIB });
  const { config, id } = await runPodWith({ resources: memory(64n), overhead: memory(8n) });
  expect(await podInfo(id)).toMatchObject({
    resources: { memoryLimitBytes: String(64n * MIB) },
    overhead: { memoryLimitBytes: String(8n * MIB) },
  });
  await node.client.updatePodSandboxResources({ podSandboxId: id, resources: memory(128n) });
  await node.restart();
  expect(await podInfo(id)).toMatchObject({
    resources: { memoryLimitBytes: String(128n * MIB) },
    overhead: { memoryLimitBytes: String(8n * MIB) },
  });
  expect((await node.client.runPodSandbox({ config })).podSandboxId).toBe(id);
});

test('resources of a pod that no kernel takes are refused, and so are those of a stopped pod', async () => {
  const pod = await TestPod.run(node);
  const update = (resources: LinuxContainerResourcesInit) =>
    refusalOf(node.client.updatePodSandboxResources({ podSandboxId: pod.id, resources }));
  expect(await update({ cpusetCpus: 'all' })).toMatchObject({ code: 'INVALID_ARGUMENT' });
  await pod.stop();
  expect(await update({ cpuShares: 2n })).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `cannot update pod sandbox "${pod.id}": it is stopped`,
  });
});

async function runPodWith(
  linux: Pick<LinuxPodSandboxConfigInit, 'resources' | 'overhead'>,
): Promise<{ config: PodSandboxConfigInit; id: string }> {
  const plain = podConfig(node);
  const config = { ...plain, linux: { ...plain.linux, ...linux } };
  return { config, id: (await node.client.runPodSandbox({ config })).podSandboxId };
}

async function podInfo(podSandboxId: string): Promise<unknown> {
  const { info } = await node.client.podSandboxStatus({ podSandboxId, verbose: true });
  return JSON.parse(info['info'] ?? '{}');
}

test('a class of block devices by annotation limits the container, and an unknown one is refused', async () => {
  const plain = podConfig(node);
  const annotations = { 'blockio.resources.beta.kubernetes.io/container.slow': 'slow' };
  const pod = await TestPod.run(node, { config: { ...plain, annotations } });
  const { cgroupPath } = await (await pod.start({ name: 'slow' })).info();
  const name = isCgroupV2 ? 'io.max' : 'blkio.throttle.read_bps_device';
  const dir = join(hierarchyOf(isCgroupV2 ? 'io' : 'blkio'), cgroupPath);
  expect(readFileSync(join(dir, name), 'utf8')).toContain('1000000');
  const asked = { 'io.kubernetes.cri.blockio-class': 'fast' };
  expect(await refusalOf(pod.create({ config: { annotations: asked } }))).toEqual({
    code: 'FAILED_PRECONDITION',
    message: 'the configuration has no class "fast" in runtime.blockio_classes',
  });
});
