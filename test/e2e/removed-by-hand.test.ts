// Somebody removes what is ours while the daemon runs, or kills a monitor: the daemon lives on, tells of it, and what
// can be done still is done.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContainerState, PodSandboxState } from '../../api/cri/generated/types.ts';
import { unmount } from '../../pkg/sys/mount.ts';
import { CriClient } from '../../api/cri/client.ts';
import { identifyNow } from '../../pkg/sys/process-identity.ts';
import { signal } from '../../pkg/sys/process.ts';
import { eventually } from './harness/eventually.ts';
import { expectClear } from './harness/faults/clear-refusal.ts';
import { patience } from './harness/patience.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { TEST_IMAGE } from './harness/test-image.ts';
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

test('the directory of the layers is told of, and the next pull of the image makes it again', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  rmSync(join(node.place.root, 'layers'), { recursive: true });
  const { code, message } = await refusalOf(pod.create({ name: 'other' }));
  expect({ code, message }).toMatchObject({ code: 'FAILED_PRECONDITION' });
  expect(message).toContain('its directory is missing; pull the image again');
  expect((await node.client.imageStatus({ image: { image: TEST_IMAGE } })).image).toBeUndefined();
  expect((await findings()).map(({ kind }) => kind)).toEqual(['damaged_layer', 'damaged_layer']); // those of the image
  await container.stop();
  await node.davit.loadImages({ path: join(node.place.dir, 'image.tar') });
  expect(await findings()).toEqual([]);
  expect(await pod.output(['echo', 'here'])).toBe('here\n');
});

test('images can be brought in when the places for what comes and for what it held are gone', async () => {
  await node.client.removeImage({ image: { image: TEST_IMAGE } });
  for (const name of ['layers', 'inventories', 'ingest', 'records'])
    rmSync(join(node.place.root, name), { recursive: true });
  await node.davit.loadImages({ path: join(node.place.dir, 'image.tar') });
  expect(await (await TestPod.run(node)).output(['echo', 'here'])).toBe('here\n');
  await node.restart();
  expect(await findings()).toEqual([]);
});

test('the socket is made again', async () => {
  const container = await (await TestPod.run(node)).start();
  const stopping = container.stop(); // over the socket that was
  rmSync(node.place.socket);
  using client = new CriClient(node.place.socket);
  await client.waitForReady(patience(10_000));
  expect((await client.listContainers()).containers).toHaveLength(1);
  await stopping;
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
