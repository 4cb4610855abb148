// The machine is started anew: no process and nothing of the run directory is left; what is on disk is.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContainerState, NamespaceMode, PodSandboxState } from '../../api/cri/generated/types.ts';
import { TestPod } from './harness/pod.ts';
import { reboot } from './harness/reboot.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** Addresses that host-local has given out. */
const leases = () =>
  readdirSync(join(node.place.ipamDir, node.place.name)).filter((file) => /^\d+(\.\d+){3}$/.test(file));

test('after a reboot pods are not ready, containers have ended, images are there, and new pods run', async () => {
  const pod = await TestPod.run(node);
  const ofNode = await TestPod.run(node, { namespaces: { network: NamespaceMode.NODE } });
  const lost = [await pod.start(), await ofNode.start(), await pod.create({ name: 'created' })];
  const ended = await pod.start({ name: 'ended', command: ['sh', '-c', 'exit 7'] });
  const before = await ended.waitForExit();
  const images = await node.client.listImages();
  expect(leases()).toHaveLength(1);
  await reboot(node);
  await node.start();
  for (const { state } of [await pod.status(), await ofNode.status()])
    expect(state).toBe(PodSandboxState.SANDBOX_NOTREADY);
  for (const container of lost)
    expect(await container.status()).toMatchObject({
      state: ContainerState.CONTAINER_EXITED,
      exitCode: 255,
      reason: 'ContainerStatusUnknown',
      message: 'the node was rebooted while the container was there, so its exit code is not known',
    });
  expect(await ended.status()).toEqual(before);
  expect(await node.client.listImages()).toEqual(images);
  expect((await node.davit.examine({})).findings.filter(({ kind }) => kind !== 'host')).toEqual([]);
  await pod.stop();
  expect(leases()).toEqual([]);
  await ofNode.remove(); // without being stopped first
  const next = await TestPod.run(node);
  expect(await next.output(['echo', 'alive'])).toBe('alive\n');
});
