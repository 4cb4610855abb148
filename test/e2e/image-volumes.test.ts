// Images that are mounted in a container, as the volumes of kind `image` ask for it.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MountPropagation, type MountInit } from '../../api/cri/generated/types.ts';
import { TestContainer } from './harness/container.ts';
import { writeOciArchive } from './harness/image-archive.ts';
import { buildImage } from './harness/image-builder.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { TEST_IMAGE } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();
const MODEL = 'davit.local/model:1';

/** @returns the image's id */
async function loadModel(): Promise<string> {
  const archive = join(node.place.dir, 'model.tar');
  const layers = [
    { entries: [{ path: '/weights/a', data: 'old\n' }] },
    { entries: [{ path: '/weights/a', data: 'of the model\n' }] },
  ];
  await writeOciArchive(archive, MODEL, await buildImage({ layers }));
  const { ids } = await node.davit.loadImages({ path: archive });
  return ids[0] ?? '';
}

const volume = (more: MountInit = {}): { config: { mounts: readonly MountInit[] } } => ({
  config: { mounts: [{ containerPath: '/model', readonly: true, image: { image: MODEL }, ...more }] },
});

test('an image can be read where it is mounted, and not be written', async () => {
  await loadModel();
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'cat /model/weights/a; touch /model/new 2>&1 || true'];
  expect(await pod.output(command, volume())).toBe(
    'of the model\ntouch: /model/new: Read-only file system\n',
  );
});

test('a sub path of an image can be mounted, be it a file', async () => {
  await loadModel();
  const pod = await TestPod.run(node);
  expect(await pod.output(['cat', '/model/a'], volume({ imageSubPath: 'weights' }))).toBe('of the model\n');
  expect(await pod.output(['cat', '/model'], volume({ imageSubPath: 'weights/a' }))).toBe('of the model\n');
});

test('programs of a mounted image can be run', async () => {
  const pod = await TestPod.run(node);
  const options = volume({ image: { image: TEST_IMAGE } });
  expect(await pod.output(['/model/bin/echo', 'hello'], options)).toBe('hello\n');
});

test('the status tells which image is mounted, and the image is kept as long as the container is', async () => {
  const id = await loadModel();
  const pod = await TestPod.run(node);
  const container = await TestContainer.create(pod, volume({ imageSubPath: 'weights' }));
  const { mounts } = await container.status();
  expect(mounts).toMatchObject([
    { containerPath: '/model', hostPath: '', image: { image: MODEL, imageRef: id }, imageSubPath: 'weights' },
  ]);
  expect(await refusalOf(node.client.removeImage({ image: { image: MODEL } }))).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  await container.remove();
  await node.client.removeImage({ image: { image: MODEL } });
});

test('a mounted image outlives the daemon, and can be removed after a kill', async () => {
  await loadModel();
  const pod = await TestPod.run(node);
  const container = await TestContainer.create(pod, volume());
  await container.start();
  await node.kill9();
  await node.start();
  expect((await container.exec(['cat', '/model/weights/a'])).stdout).toBe('of the model\n');
});

test.each<[string, MountInit, string, RegExp]>([
  [
    'an image that is not here',
    { image: { image: 'davit.local/none:1' } },
    'NOT_FOUND',
    /^ImageVolumeMountFailed: /,
  ],
  ['a sub path that is not there', { imageSubPath: 'none' }, 'INVALID_ARGUMENT', /^ImageVolumeMountFailed: /],
  ['writing', { readonly: false }, 'INVALID_ARGUMENT', /readonly/],
  [
    'propagation',
    { propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL },
    'INVALID_ARGUMENT',
    /propagation/,
  ],
  ['a path of the host as well', { hostPath: '/tmp' }, 'INVALID_ARGUMENT', /host_path/],
])('a volume that asks for %s is refused', async (_, more, code, message) => {
  await loadModel();
  const pod = await TestPod.run(node);
  expect(await refusalOf(TestContainer.create(pod, volume(more)))).toEqual({
    code,
    message: expect.stringMatching(message) as string,
  });
});
