// A disk without room: the right code, nothing left behind, and a daemon that goes on when there is room again.

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { fillDisk } from './harness/disk.ts';
import { writeOciArchive } from './harness/image-archive.ts';
import { buildImage } from './harness/image-builder.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { TEST_IMAGE } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({ diskMiB: 48 });

const MIB = 1024 * 1024;

async function archiveOf(name: string, sizeBytes: number): Promise<string> {
  const path = join(node.place.dir, 'image.tar');
  const entries = [{ path: '/data', data: randomBytes(sizeBytes) }];
  await writeOciArchive(path, name, await buildImage({ layers: [{ entries }] }));
  return path;
}

function filesOfImages(): string[] {
  return ['layers', 'ingest', 'snapshots'].flatMap((name) => readdirSync(join(node.place.root, name)));
}

afterEach(async () => {
  const { images } = await node.client.listImages();
  for (const { id, repoTags } of images)
    if (!repoTags.includes(TEST_IMAGE)) await node.client.removeImage({ image: { image: id } });
});

test('an image that does not fit is refused whole, and one that fits is taken after it', async () => {
  const before = filesOfImages();
  const path = await archiveOf('davit.local/large:v1', 60 * MIB);
  const { code, message } = await refusalOf(node.davit.loadImages({ path }));
  expect(code).toBe('RESOURCE_EXHAUSTED');
  expect(message).toMatch(/no space left|full/i);
  expect(filesOfImages()).toEqual(before);
  const fits = await archiveOf('davit.local/small:v1', MIB);
  expect((await node.davit.loadImages({ path: fits })).references).toEqual(['davit.local/small:v1']);
});

test('on a full disk no pod is begun, and when there is room again the same pod is run', async () => {
  const config = podConfig(node);
  {
    using _full = fillDisk(node.place);
    expect((await refusalOf(runUntilFull(config))).code).toBe('RESOURCE_EXHAUSTED');
  }
  const { podSandboxId } = await node.client.runPodSandbox({ config });
  expect((await node.client.listPodSandbox()).items.map(({ id }) => id)).toEqual([podSandboxId]);
});

/** What is already written of the database may have room for some records. */
async function runUntilFull(config: ReturnType<typeof podConfig>): Promise<never> {
  for (;;) {
    const { podSandboxId } = await node.client.runPodSandbox({ config });
    await node.client.removePodSandbox({ podSandboxId });
  }
}

test('on a full disk a container is refused, and nothing of it is left', async () => {
  const pod = await TestPod.run(node);
  const before = filesOfImages();
  {
    using _full = fillDisk(node.place);
    expect((await refusalOf(createUntilFull(pod))).code).toBe('RESOURCE_EXHAUSTED');
  }
  expect((await node.client.listContainers()).containers).toEqual([]);
  expect(filesOfImages()).toEqual(before);
  expect(await pod.output(['echo', 'room again'])).toBe('room again\n');
});

async function createUntilFull(pod: TestPod): Promise<never> {
  for (;;) await (await pod.create()).remove();
}

test('a container that fills the disk can be stopped and removed, which makes room', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({
    command: ['sh', '-c', 'cat /dev/zero > /fill; echo full; sleep 1000'],
  });
  await container.waitForLog('full', 30_000);
  await container.stop(0);
  await container.remove();
  await pod.remove();
  expect((await node.client.listPodSandbox()).items).toEqual([]);
});

test('what happens to containers is recorded on a full disk, and the daemon writes on when there is room again', async () => {
  const pods = [await TestPod.run(node), await TestPod.run(node)] as const;
  const containers = await Promise.all(pods.map((pod) => pod.start()));
  {
    using _full = fillDisk(node.place);
    for (const container of containers) await container.stop();
    await pods[0].remove();
    expect(existsSync(join(node.place.root, 'db/reserve'))).toBe(false); // or the disk was not full
    await node.kill9();
    await node.start();
    expect(await containers[1]?.status()).toMatchObject({ exitCode: 0, reason: 'Completed' });
    expect((await node.client.listPodSandbox()).items.map(({ id }) => id)).toEqual([pods[1].id]);
  }
  expect(await pods[1].output(['echo', 'room again'])).toBe('room again\n');
});

test('what runs goes on while the disk is full, and a daemon that is restarted finds it', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  {
    using _full = fillDisk(node.place, 256 * 1024);
    await node.kill9();
    await node.start();
    expect((await container.exec(['echo', 'alive'])).stdout).toBe('alive\n');
  }
  await container.stop();
  expect(await container.status()).toMatchObject({ exitCode: 0 });
});
