// Somebody removes what is ours while the daemon runs, or kills a monitor: the daemon lives on, tells of it, and what
// can be done still is done.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContainerState, PodSandboxState } from '../../api/cri/generated/types.ts';
import { unmount } from '../../pkg/sys/mount.ts';
import { identifyNow, signal } from '../../pkg/sys/process.ts';
import { eventually } from './harness/eventually.ts';
import { expectClear } from './harness/faults/clear-refusal.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

async function findings() {
  const { findings: found } = await node.davit.examine({});
  return found.filter(({ kind }) => kind !== 'host').map(({ kind, subject }) => ({ kind, subject }));
}

test('without the directory of exits ends are noticed, and it is made again', async () => {
  const pod = await TestPod.run(node);
  const [first, second] = [await pod.start({ name: 'first' }), await pod.start({ name: 'second' })];
  const dir = join(node.place.run, 'exits');
  rmSync(dir, { recursive: true });
  await first.stop();
  expect((await first.status()).state).toBe(ContainerState.CONTAINER_EXITED);
  await eventually('it is made again', () => existsSync(dir));
  await second.stop();
  expect(await second.status()).toMatchObject({ exitCode: 0, reason: 'Completed' });
});

test('a container without its bundle runs on, is told of, and can be stopped and removed', async () => {
  const container = await (await TestPod.run(node)).start();
  const bundle = join(node.place.run, 'containers', container.id);
  unmount(join(bundle, 'rootfs'));
  rmSync(bundle, { recursive: true });
  expect(await findings()).toEqual([{ kind: 'missing_files', subject: container.id }]);
  expectClear(await refusalOf(container.exec(['true'])));
  await container.stop();
  await container.remove();
});

test('a container without its writable directory is told of, and can be stopped and removed', async () => {
  const container = await (await TestPod.run(node)).start();
  rmSync(join(node.place.root, 'snapshots', container.id), { recursive: true });
  expect(await findings()).toEqual([{ kind: 'missing_files', subject: container.id }]);
  await container.stop();
  await container.remove();
});

test('a pod of which all but the network was removed is stopped, and the kubelet can make another', async () => {
  const pod = await TestPod.run(node);
  const dir = join(node.place.run, 'sandboxes', pod.id);
  for (const name of ['ns/ipc', 'ns/uts', 'shm']) {
    unmount(join(dir, name));
    rmSync(join(dir, name), { recursive: true });
  }
  expect(await findings()).toEqual([{ kind: 'broken_pod', subject: pod.id }]);
  await node.davit.examine({ repair: true });
  expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_NOTREADY);
  await pod.remove();
});

test('without the directories of all pods and containers new ones are made', async () => {
  for (const name of ['sandboxes', 'containers'])
    rmSync(join(node.place.run, name), { recursive: true, force: true });
  rmSync(join(node.place.root, 'snapshots'), { recursive: true });
  const pod = await TestPod.run(node);
  expect(await pod.output(['echo', 'here'])).toBe('here\n');
});

test('a container whose monitor was killed runs on, says so, takes commands, and ends as it should', async () => {
  const container = await (await TestPod.run(node)).start();
  await signal(identifyNow((await container.info()).monitorPid)!, 'SIGKILL');
  await eventually('it is told', async () => (await findings()).length > 0);
  expect(await findings()).toEqual([{ kind: 'unwatched', subject: container.id }]);
  expect(await container.status()).toMatchObject({ state: ContainerState.CONTAINER_RUNNING });
  expect(await container.info()).toMatchObject({ monitorAlive: false });
  expect(await container.exec(['echo', 'here'])).toMatchObject({ stdout: 'here\n' });
  const { message } = await refusalOf(node.client.reopenContainerLog({ containerId: container.id }));
  expect(message).toContain('is gone');
  await container.stop();
  expect(await container.status()).toMatchObject({ reason: 'ContainerStatusUnknown', exitCode: 255 });
});
