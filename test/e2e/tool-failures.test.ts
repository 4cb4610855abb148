// An OCI runtime or a monitor that hangs, dies, prints rubbish, does nothing or is missing: a clear error within the
// configured time, nothing left, other pods untouched, and with the good tool the same call succeeds.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContainerState } from '../../api/cri/generated/types.ts';
import { identifyNow } from '../../pkg/sys/process-identity.ts';
import { BadTool, type Misbehaviour } from './harness/bad-tool.ts';
import { expectClear } from './harness/faults/clear-refusal.ts';
import type { TestContainer } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { patience } from './harness/patience.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf, type Refusal } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const TIMEOUT_SECONDS = patience(3);
let runtime: BadTool;
let monitor: BadTool;

const node = useNode({
  config: ({ dir }) => {
    runtime = new BadTool(join(dir, 'tools/runtime'), '/usr/sbin/runc');
    monitor = new BadTool(join(dir, 'tools/monitor'), '/usr/bin/conmon');
    return `[runtime]
monitor = "${monitor.path}"
timeout_seconds = ${TIMEOUT_SECONDS}

[runtime.handlers.runc]
path = "${runtime.path}"
`;
  },
});

/** Beside its own time a tool has a moment to be killed in, and what it did is undone. */
async function refusedInTime(call: Promise<unknown>): Promise<Refusal> {
  const startedAt = performance.now();
  const refusal = await refusalOf(call);
  expect(performance.now() - startedAt).toBeLessThan(4 * TIMEOUT_SECONDS * 1000 + patience(4_000));
  expectClear(refusal);
  return refusal;
}

async function stateOf(container: TestContainer): Promise<ContainerState> {
  return (await container.status()).state;
}

const tools = { runtime: () => runtime, monitor: () => monitor };
const CREATE = { runtime: ['create'], monitor: ['--exit-dir'] };
const EXEC = { runtime: ['exec'], monitor: ['--exec'] };
const REFUSING: readonly Misbehaviour[] = ['is killed', 'crashes', 'prints rubbish', 'is missing'];
const AT_ONCE: readonly Misbehaviour[] = [...REFUSING, 'does nothing'];

test.each(['runtime', 'monitor'] as const)(
  'a container that a bad %s should create is refused, and created with a good one',
  async (name) => {
    const pod = await TestPod.run(node);
    for (const how of AT_ONCE) {
      using _bad = tools[name]().misbehave(CREATE[name], how);
      await refusedInTime(pod.create());
    }
    const container = await pod.create();
    expect((await node.client.listContainers()).containers.map(({ id }) => id)).toEqual([container.id]);
  },
);

test.each(['runtime', 'monitor'] as const)(
  'a command that a bad %s should run is refused, and run with a good one',
  async (name) => {
    const container = await (await TestPod.run(node)).start();
    for (const how of AT_ONCE) {
      using _bad = tools[name]().misbehave(EXEC[name], how);
      await refusedInTime(container.exec(['true']));
    }
    expect(await container.exec(['echo', 'well'])).toMatchObject({ stdout: 'well\n', exitCode: 0 });
    expect(await stateOf(container)).toBe(ContainerState.CONTAINER_RUNNING);
  },
);

test('a container that a bad runtime could not start has ended, and says so', async () => {
  const pod = await TestPod.run(node);
  for (const how of AT_ONCE) {
    const container = await pod.create({ name: how.replaceAll(' ', '-') });
    using _bad = runtime.misbehave(['start'], how);
    const { pid } = await container.info();
    await refusedInTime(container.start());
    expect(await container.status()).toMatchObject({ exitCode: 128, reason: 'StartError' });
    await eventually('what was created has ended', () => identifyNow(pid) === undefined);
  }
});

test('a container that a bad runtime should delete is removed with a good one', async () => {
  const container = await (await TestPod.run(node)).start({ command: ['true'] });
  await container.waitForExit();
  for (const how of REFUSING) {
    using _bad = runtime.misbehave(['delete'], how);
    await refusedInTime(container.remove());
  }
  await container.remove();
  expect((await node.client.listContainers()).containers).toEqual([]);
});

test('a runtime that hangs is given up in time; others go on, and all can be done later', async () => {
  const pod = await TestPod.run(node);
  const [created, ended, running] = [
    await pod.create({ name: 'created' }),
    await pod.start({ name: 'ended', command: ['true'] }),
    await pod.start({ name: 'running' }),
  ];
  await ended.waitForExit();
  const limits = { containerId: running.id, linux: { cpuShares: 512n } };
  {
    using _bad = runtime.misbehave(['create', 'start', 'exec', 'update', 'delete'], 'hangs');
    const calls = [
      pod.create({ name: 'new' }),
      created.start(),
      running.exec(['true']),
      node.client.updateContainerResources(limits),
      ended.remove(),
    ].map(refusedInTime);
    expect((await node.client.listContainers()).containers).not.toEqual([]);
    for (const { code } of await Promise.all(calls)) expect(code).toBe('DEADLINE_EXCEEDED');
  }
  expect(await stateOf(created)).toBe(ContainerState.CONTAINER_UNKNOWN); // it may have been started
  await pod.create({ name: 'new' });
  expect(await running.exec(['echo', 'well'])).toMatchObject({ stdout: 'well\n' });
  await node.client.updateContainerResources(limits);
  await ended.remove();
  await created.stop(0);
  await created.remove();
});

test('a monitor that hangs is given up in time, and all can be done later', async () => {
  const pod = await TestPod.run(node);
  const running = await pod.start();
  {
    using _bad = monitor.misbehave([...CREATE.monitor, ...EXEC.monitor], 'hangs');
    const calls = [pod.create({ name: 'new' }), running.exec(['true'])].map(refusedInTime);
    for (const { code } of await Promise.all(calls)) expect(code).toBe('DEADLINE_EXCEEDED');
  }
  await pod.create({ name: 'new' });
  expect(await running.exec(['echo', 'well'])).toMatchObject({ stdout: 'well\n' });
});

test('what a runtime says that it has deleted and has not is found and removed', async () => {
  const container = await (await TestPod.run(node)).start({ command: ['true'] });
  await container.waitForExit();
  {
    using _bad = runtime.misbehave(['delete'], 'does nothing');
    await container.remove();
  }
  const { findings } = await node.davit.examine({ repair: true });
  expect(findings).toContainEqual(
    expect.objectContaining({ kind: 'stray_files', subject: container.id, repaired: true }),
  );
});
