// Limits: in the kernel as they were asked for, changed while the container runs, and what happens at them.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LinuxContainerResourcesInit } from '../../api/cri/generated/types.ts';
import { hierarchyOf, isCgroupV2 } from './harness/cgroups.ts';
import type { TestContainer } from './harness/container.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const MIB = 1024n * 1024n;

const LIMITS: LinuxContainerResourcesInit = {
  cpuShares: 512n,
  cpuQuota: 50_000n,
  cpuPeriod: 100_000n,
  cpusetCpus: '0',
  memoryLimitInBytes: 64n * MIB,
};

/** The limits as the kernel has them, in the words of version 1. */
async function limitsOf(container: TestContainer): Promise<Record<string, string>> {
  const { cgroupPath } = await container.info();
  const read = (controller: string, file: string): string =>
    readFileSync(join(hierarchyOf(controller), cgroupPath, file), 'utf8').trim();
  if (isCgroupV2) {
    const [quota = '', period = ''] = read('cpu', 'cpu.max').split(' ');
    return { quota, period, cpus: read('cpuset', 'cpuset.cpus'), memory: read('memory', 'memory.max') };
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
