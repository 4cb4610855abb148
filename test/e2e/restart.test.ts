// The daemon dies or is restarted; containers, logs and exit codes do not notice.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContainerState, PodSandboxState } from '../../api/cri/generated/types.ts';
import { identifyNow } from '../../pkg/sys/process-identity.ts';
import { signal } from '../../pkg/sys/process.ts';
import type { TestContainer } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { patience } from './harness/patience.ts';
import { TestPod, podConfig } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** One line each few milliseconds, numbered. */
const COUNT = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo line $i; usleep 2000; done'];

function numbersIn(container: TestContainer): number[] {
  return container.log().map(({ content }) => Number(/^line (\d+)$/.exec(content.toString())?.[1]));
}

function expectNoGap(container: TestContainer): void {
  const numbers = numbersIn(container);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
}

async function kill(pid: number): Promise<void> {
  const process = identifyNow(pid);
  if (process !== undefined) await signal(process, 'SIGKILL');
}

for (const [how, away] of [
  ['kill -9', () => node.kill9()],
  ['a clean stop', () => node.stop()],
] as const) {
  test(`after ${how} the same processes run, and their log has no gap`, async () => {
    const pod = await TestPod.run(node);
    const container = await pod.start({ command: COUNT });
    await container.waitForLog('line 10');
    const before = await container.info();
    await away();
    const written = numbersIn(container).length;
    await container.waitForLog(`line ${written + 50}`); // nobody but the monitor is there
    await node.start();
    expect(await container.info()).toMatchObject({ pid: before.pid, monitorPid: before.monitorPid });
    expect((await container.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
    expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_READY);
    await container.stop(0);
    expectNoGap(container);
  });

  test(`an exit during ${how} is told afterwards, with its code and its time`, async () => {
    const pod = await TestPod.run(node);
    const go = '/dev/shm/go';
    const container = await pod.start({
      command: ['sh', '-c', `while ! [ -e ${go} ]; do usleep 5000; done; exit 42`],
    });
    const { pid } = await container.info();
    const bell = `/proc/${pid}/root${go}`;
    await away();
    const before = BigInt(Date.now()) * 1_000_000n;
    writeFileSync(bell, '');
    await eventually('the container ends', () => !existsSync(`/proc/${pid}`));
    const after = BigInt(Date.now() + patience(50)) * 1_000_000n;
    await node.start();
    const status = await container.status();
    expect(status).toMatchObject({
      state: ContainerState.CONTAINER_EXITED,
      exitCode: 42,
      reason: 'Error',
    });
    expect(status.finishedAt).toBeGreaterThan(before - 50_000_000n);
    expect(status.finishedAt).toBeLessThan(after);
  });
}

test('containers and pods can be stopped and removed after a restart as before', async () => {
  const pod = await TestPod.run(node);
  const [running, created] = [await pod.start(), await pod.create({ name: 'created' })];
  await node.kill9();
  await node.start();
  expect((await created.status()).state).toBe(ContainerState.CONTAINER_CREATED);
  await created.start();
  expect((await created.exec(['echo', 'alive'])).stdout).toBe('alive\n');
  await running.stop();
  expect(await running.status()).toMatchObject({ exitCode: 0, reason: 'Completed' });
  await pod.remove();
  expect((await node.client.listContainers()).containers).toEqual([]);
});

test('logs are rotated after a restart as before', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: COUNT });
  await node.kill9();
  await node.start();
  await node.client.reopenContainerLog({ containerId: container.id });
  await container.waitForLog('line 10');
  await container.stop(0);
  expectNoGap(container);
});

test('the images and the pod CIDR are known after a restart', async () => {
  const before = await node.client.listImages();
  await node.kill9();
  await node.start();
  expect(await node.client.listImages()).toEqual(before);
});

test('a container whose monitor was killed is still followed to its end', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { monitorPid, pid } = await container.info();
  await kill(monitorPid);
  expect((await container.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
  await kill(pid);
  expect(await container.waitForExit()).toMatchObject({ reason: 'ContainerStatusUnknown', exitCode: 255 });
});

test('a container whose monitor and process died while the daemon was away has ended', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { monitorPid, pid } = await container.info();
  await node.kill9();
  await kill(monitorPid);
  await kill(pid);
  await node.start();
  expect(await container.waitForExit()).toMatchObject({ reason: 'ContainerStatusUnknown', exitCode: 255 });
});

test('a pod that was being run when the daemon died is gone or whole afterwards, and can be run', async () => {
  const config = podConfig(node);
  const call = node.client.runPodSandbox({ config }).catch(() => undefined);
  const sandboxes = join(node.place.run, 'sandboxes');
  await eventually('the run has begun', () => existsSync(sandboxes) && readdirSync(sandboxes).length > 0);
  await node.kill9();
  await call;
  await node.start();
  const { podSandboxId } = await node.client.runPodSandbox({ config });
  expect((await node.client.listPodSandbox()).items.map(({ id }) => id)).toEqual([podSandboxId]);
});

test('a daemon that is started while another one has its directories says so and ends', async () => {
  const second = spawnSync(join(import.meta.dirname, '../../bin/davit'), ['--config', node.place.config], {
    encoding: 'utf8',
    timeout: patience(20_000),
  });
  expect(second.status).toBe(1);
  expect(second.stderr).toContain(`"${node.place.root}/lock"`);
  expect(second.stderr).toContain(String(node.daemon.pid));
});
