// What images take on disk, and what keeps them.

import { expect, test } from 'vitest';
import { TestPod } from './harness/pod.ts';
import { TEST_IMAGE } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({ config: '[image]\npinned = ["davit.local/*"]\n' });

test('an image names the containers that use it, and gives nothing back while they do or it is pinned', async () => {
  const pod = await TestPod.run(node);
  const { id } = await pod.start({ name: 'user' });
  const { images, reclaimableBytes, totalBytes } = await node.davit.diskUsage();
  expect(images).toMatchObject([
    {
      repoTags: [TEST_IMAGE],
      uniqueBytes: totalBytes,
      sharedBytes: 0n,
      reclaimableBytes: 0n,
      pinned: true,
      users: [{ containerId: id, containerName: 'user' }],
    },
  ]);
  expect(reclaimableBytes).toBe(0n);
  expect(totalBytes).toBeGreaterThan(100_000n);
});

test('the kubelet is told that an image is pinned', async () => {
  const { image } = await node.client.imageStatus({ image: { image: TEST_IMAGE } });
  expect(image?.pinned).toBe(true);
});
