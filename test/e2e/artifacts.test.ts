// Artifacts: files in a registry that are no image, mounted as volumes.

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { MountInit } from '../../api/cri/generated/types.ts';
import { pushImage } from '../../pkg/image/testing/push.ts';
import { buildArtifact } from '../../pkg/image/testing/test-artifact.ts';
import { TestContainer } from './harness/container.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { Registry } from './harness/registry.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();
const ARTIFACT = buildArtifact({
  files: [
    ['README.md', 'a model\n'],
    ['weights/a.bin', 'weights\n'],
  ],
});
const ID = ARTIFACT.manifest.digest;

let registry: Registry;
let name: string;

beforeAll(async () => {
  registry = await Registry.start(node.place);
  name = `${registry.host}/models/a:v1`;
  await pushImage(registry.host, 'models/a', 'v1', ARTIFACT);
});
beforeEach(async () => {
  expect((await node.client.pullImage({ image: { image: name } })).imageRef).toBe(ID);
});
afterAll(() => registry[Symbol.asyncDispose]());

const volume = (more: MountInit = {}): { config: { mounts: readonly MountInit[] } } => ({
  config: { mounts: [{ containerPath: '/model', readonly: true, image: { image: name }, ...more }] },
});

test('an artifact is listed and told of as images are', async () => {
  const { image, info } = await node.client.imageStatus({ image: { image: name }, verbose: true });
  expect(image).toMatchObject({
    id: ID,
    repoTags: [name],
    repoDigests: [`${registry.host}/models/a@${ID}`],
    size: 18n,
    username: '',
  });
  expect(JSON.parse(info['info'] ?? '')).toMatchObject({ artifactType: 'application/vnd.example.model' });
  expect((await node.client.listImages()).images.map(({ id }) => id)).toContain(ID);
});

test('its files can be read where it is mounted, and not be written', async () => {
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'cat /model/README.md /model/weights/a.bin; touch /model/new 2>&1 || true'];
  expect(await pod.output(command, volume())).toBe(
    'a model\nweights\ntouch: /model/new: Read-only file system\n',
  );
});

test('a directory or a file of it can be mounted', async () => {
  const pod = await TestPod.run(node);
  expect(await pod.output(['cat', '/model/a.bin'], volume({ imageSubPath: 'weights' }))).toBe('weights\n');
  expect(await pod.output(['cat', '/model'], volume({ imageSubPath: 'README.md' }))).toBe('a model\n');
  expect(await refusalOf(TestContainer.create(pod, volume({ imageSubPath: 'none' })))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/^ImageVolumeMountFailed: /) as string,
  });
});

test('it is kept as long as a container has it mounted, over a crash of the daemon too', async () => {
  const pod = await TestPod.run(node);
  const container = await TestContainer.create(pod, volume());
  await container.start();
  await node.kill9();
  await node.start();
  expect((await container.exec(['cat', '/model/README.md'])).stdout).toBe('a model\n');
  expect((await container.status()).mounts).toMatchObject([{ image: { image: name, imageRef: ID } }]);
  expect(await refusalOf(node.client.removeImage({ image: { image: name } }))).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  await container.stop();
  await container.remove();
  await node.client.removeImage({ image: { image: name } });
  expect((await node.client.imageStatus({ image: { image: ID } })).image).toBeUndefined();
});

test('a container cannot be made of it', async () => {
  const pod = await TestPod.run(node);
  expect(await refusalOf(TestContainer.create(pod, { image: name }))).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `cannot run image "${name}": it is an artifact of type "application/vnd.example.model", which can only be mounted`,
  });
});
