// A disk that can hold no more files, though it has room: the right code, nothing left behind, and a daemon that goes on
// when it can.

import { expect, test } from 'vitest';
import { ContainerState } from '../../api/cri/generated/types.ts';
import { fillInodes } from './harness/disk.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({ diskMiB: 48, diskInodes: 2000 });

test('a disk without inodes takes no container and says so; what runs can be asked for and stopped', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  {
    using _full = fillInodes(node.place);
    const { code } = await refusalOf(pod.create({ name: 'other' }));
    expect(code).toBe('RESOURCE_EXHAUSTED');
    expect((await node.client.listContainers()).containers.map(({ id }) => id)).toEqual([container.id]);
    expect((await node.client.status()).status?.conditions[0]?.status).toBe(true);
    expect(await container.exec(['echo', 'here'])).toMatchObject({ stdout: 'here\n' });
    await container.stop();
    expect((await container.status()).state).toBe(ContainerState.CONTAINER_EXITED);
  }
  expect(await pod.output(['echo', 'room again'])).toBe('room again\n');
  await node.client.runPodSandbox({ config: podConfig(node) });
});
