// Volumes that an image declares: each container has its own, filled as the image has them.

import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { NamespaceMode } from '../../api/cri/generated/types.ts';
import { writeOciArchive } from './harness/image-archive.ts';
import { buildImage } from './harness/image-builder.ts';
import { TestPod } from './harness/pod.ts';
import { busyboxEntries } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const IMAGE = 'davit.local/volumes:latest';

beforeAll(async () => {
  const entries = [
    ...busyboxEntries(),
    { path: '/data', type: 'directory' as const, uid: 1000, gid: 1000, mode: 0o750 },
    { path: '/data/file', data: 'of the image\n', uid: 1000, gid: 1000 },
  ];
  const config = { Env: ['PATH=/bin'], Volumes: { '/data': {}, '/new/dir': {}, '/proc': {} } };
  const image = await buildImage({ layers: [{ entries }], config });
  const archive = join(node.place.dir, 'volumes.tar');
  await writeOciArchive(archive, IMAGE, image);
  await node.davit.loadImages({ path: archive });
});

const snapshot = (id: string): string => join(node.place.root, 'snapshots', id);

test('a volume is a mount of its own, with what the image has there, and goes with the container', async () => {
  const pod = await TestPod.run(node);
  const script =
    'stat -c "%u %g %a" /data; cat /data/file; touch /data/mine /new/dir/x; grep -cE " (/data|/new/dir) " /proc/mounts';
  const options = { image: IMAGE, command: ['sh', '-c', script], security: { readonlyRootfs: true } };
  const container = await pod.start(options);
  await container.waitForExit();
  expect(container.logText('stdout')).toBe('1000 1000 750\nof the image\n2\n');
  expect(readdirSync(join(snapshot(container.id), 'volumes/0'))).toEqual(['file', 'mine']);
  const other = await pod.output(['ls', '/data'], { image: IMAGE });
  expect(other).toBe('file\n');
  await container.remove();
  expect(existsSync(snapshot(container.id))).toBe(false);
});

test('root of a pod with users of its own owns them', async () => {
  const ids = [{ containerId: 0, hostId: 262_144, length: 65_536 }];
  const usernsOptions = { mode: NamespaceMode.POD, uids: ids, gids: ids };
  const pod = await TestPod.run(node, { namespaces: { usernsOptions } });
  const script = 'stat -c "%u %g %a" /data /new/dir; cat /data/file; echo x > /new/dir/x && chown 7 /data';
  const options = { image: IMAGE, command: ['sh', '-c', script], security: { readonlyRootfs: true } };
  expect(await pod.output(['sh', '-c', script], options)).toBe('1000 1000 750\n0 0 755\nof the image\n');
});

test('what the pod mounts there takes its place', async () => {
  const pod = await TestPod.run(node);
  const mount = { hostPath: node.place.logDir, containerPath: '/data/' };
  const container = await pod.create({ image: IMAGE, config: { mounts: [mount] } });
  expect(readdirSync(join(snapshot(container.id), 'volumes'))).toHaveLength(1);
  expect((await container.status()).mounts).toHaveLength(1);
});

test('a volume outlives the daemon', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ image: IMAGE, command: ['sleep', '1000'] });
  await node.kill9();
  await node.start();
  expect((await container.exec(['cat', '/data/file'])).stdout).toBe('of the image\n');
});

test('configured so, they are directories of the root file system', async () => {
  writeFileSync(join(`${node.place.config}.d`, '20-mkdir.toml'), '[runtime]\nimage_volumes = "mkdir"\n');
  await node.kill9();
  await node.start();
  const pod = await TestPod.run(node);
  const script = 'stat -c "%u %g %a" /data /new/dir; grep -cE " (/data|/new/dir) " /proc/mounts';
  const container = await pod.start({ image: IMAGE, command: ['sh', '-c', script] });
  await container.waitForExit();
  expect(container.logText('stdout')).toBe('1000 1000 750\n0 0 755\n0\n');
});
