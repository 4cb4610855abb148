// What a container sees of the node's files, and what it may do with its own.

import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MountPropagation } from '../../api/cri/generated/types.ts';
import type { MountInit } from '../../api/cri/generated/types.ts';
import { mountTmpfs, unmount } from '../../pkg/sys/mount.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** A directory of the node with a file in it. */
function hostDirectory(): string {
  const dir = mkdtempSync(join(node.place.dir, 'volume-'));
  chmodSync(dir, 0o755);
  writeFileSync(join(dir, 'file'), 'of the node\n');
  return dir;
}

function mounts(...list: readonly MountInit[]): { config: { mounts: readonly MountInit[] } } {
  return { config: { mounts: list } };
}

test('a directory of the node can be read and written where it is mounted', async () => {
  const hostPath = hostDirectory();
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'cat /data/file; echo answer > /data/answer'];
  expect(await pod.output(command, mounts({ hostPath, containerPath: '/data' }))).toBe('of the node\n');
  expect(readFileSync(join(hostPath, 'answer'), 'utf8')).toBe('answer\n');
});

test('a single file can be mounted over one of the image', async () => {
  const hostPath = join(hostDirectory(), 'file');
  const pod = await TestPod.run(node);
  const mount = { hostPath, containerPath: '/etc/passwd' };
  expect(await pod.output(['cat', '/etc/passwd'], mounts(mount))).toBe('of the node\n');
});

test('a read-only mount cannot be written to', async () => {
  const hostPath = hostDirectory();
  const pod = await TestPod.run(node);
  const mount = { hostPath, containerPath: '/data', readonly: true };
  const command = ['sh', '-c', 'cat /data/file; touch /data/new 2>&1 || true'];
  expect(await pod.output(command, mounts(mount))).toContain('Read-only file system');
  expect(existsSync(join(hostPath, 'new'))).toBe(false);
});

test('a source that is missing is made as a directory', async () => {
  const hostPath = join(hostDirectory(), 'new/deep');
  const pod = await TestPod.run(node);
  expect(await pod.output(['ls', '/data'], mounts({ hostPath, containerPath: '/data' }))).toBe('');
  expect(statSync(hostPath).isDirectory()).toBe(true);
});

test('a source that is a link is followed on the node', async () => {
  const dir = hostDirectory();
  symlinkSync(dir, join(node.place.dir, 'link'));
  const pod = await TestPod.run(node);
  const mount = { hostPath: join(node.place.dir, 'link'), containerPath: '/data' };
  expect(await pod.output(['cat', '/data/file'], mounts(mount))).toBe('of the node\n');
});

test('a link of the image that leads out of it does not lead out', async () => {
  const pod = await TestPod.run(node);
  const outside = join(node.place.dir, 'outside');
  mkdirSync(outside);
  const mount = { hostPath: hostDirectory(), containerPath: '/../../../..' + outside };
  await pod.output(['true'], mounts(mount));
  expect(existsSync(join(outside, 'file'))).toBe(false);
});

test('the status tells the mounts as they were asked for', async () => {
  const hostPath = hostDirectory();
  const pod = await TestPod.run(node);
  const container = await pod.create(mounts({ hostPath, containerPath: '/data', readonly: true }));
  expect((await container.status()).mounts).toEqual([
    expect.objectContaining({
      hostPath,
      containerPath: '/data',
      readonly: true,
      propagation: MountPropagation.PROPAGATION_PRIVATE,
    }),
  ]);
});

test('a mount made on the node later is seen where propagation was asked for, and nowhere else', async () => {
  const hostPath = hostDirectory();
  const later = join(hostPath, 'later');
  mkdirSync(later);
  using _shared = sharedMount(hostPath);
  const pod = await TestPod.run(node);
  const propagation = MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
  const container = await pod.start(
    mounts({ hostPath, containerPath: '/slave', propagation }, { hostPath, containerPath: '/private' }),
  );
  mountTmpfs(later, { mode: 0o755 });
  writeFileSync(join(later, 'news'), '');
  expect((await container.exec(['ls', '/slave/later'])).stdout).toBe('news\n');
  expect((await container.exec(['ls', '/private/later'])).stdout).toBe('');
  await pod.remove();
});

test('a mount made in the container is seen on the node where both ways were asked for', async () => {
  const hostPath = hostDirectory();
  const later = join(hostPath, 'later');
  mkdirSync(later);
  using _shared = sharedMount(hostPath);
  const pod = await TestPod.run(node, { privileged: true });
  const script =
    'mount -t tmpfs x /both/later && touch /both/later/news; mount -t tmpfs x /slave/later; ls /both/later';
  const both = { hostPath, containerPath: '/both', propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL };
  const slave = {
    hostPath,
    containerPath: '/slave',
    propagation: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  };
  await pod.output(['sh', '-c', script], { ...mounts(both, slave), security: { privileged: true } });
  expect(existsSync(join(later, 'news'))).toBe(true);
  await pod.remove();
});

test('propagation that a mount of the node does not have is refused', async () => {
  const hostPath = hostDirectory();
  execFileSync('mount', ['--bind', '--make-private', hostPath, hostPath]);
  using _mount = {
    [Symbol.dispose]: () => {
      unmount(hostPath);
    },
  };
  const pod = await TestPod.run(node);
  const propagation = MountPropagation.PROPAGATION_BIDIRECTIONAL;
  expect(await refusalOf(pod.create(mounts({ hostPath, containerPath: '/data', propagation })))).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `config.mounts[0].propagation "bidirectional" is not possible: "${hostPath}" is on the mount "${hostPath}", which is not shared`,
  });
});

test('a mount has the options that it was asked to have, and the status tells them', async () => {
  const hostPath = hostDirectory();
  const pod = await TestPod.run(node);
  const options = ['noexec', 'nosuid', 'nodev', 'noatime'];
  const config = mounts({ hostPath, containerPath: '/data', mountOptions: options });
  const script = 'cp /bin/busybox /data/busybox; /data/busybox true 2>&1; grep " /data " /proc/mounts';
  const text = await pod.output(['sh', '-c', script], config);
  expect(text).toContain('Permission denied');
  expect(text).toMatch(/ \/data .* rw,nosuid,nodev,noexec,noatime/);
  const container = await pod.create({ name: 'asked', ...config });
  expect((await container.status()).mounts[0]?.mountOptions).toEqual(options);
});

test('a mount option that would give something is refused by name', async () => {
  const pod = await TestPod.run(node);
  const mount = { hostPath: hostDirectory(), containerPath: '/data', mountOptions: ['noexec', 'dev'] };
  expect(await refusalOf(pod.create(mounts(mount)))).toEqual({
    code: 'INVALID_ARGUMENT',
    message:
      'config.mounts[0].mount_options "dev" is none of ro, noexec, nosuid, nodev, noatime, nodiratime, relatime, strictatime',
  });
});

/** What is mounted below it is told to others, as on a node with systemd. */
function sharedMount(path: string): Disposable {
  execFileSync('mount', ['--bind', path, path]);
  execFileSync('mount', ['--make-shared', path]);
  return {
    [Symbol.dispose]: () => {
      unmount(join(path, 'later'));
      unmount(path);
    },
  };
}

test('a source that cannot be a directory is refused by field and value', async () => {
  const hostPath = join(hostDirectory(), 'file/below');
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create(mounts({ hostPath, containerPath: '/data' })))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: `config.mounts[0].host_path "${hostPath}" cannot be mounted: ENOTDIR: not a directory, realpath '${hostPath}'`,
  });
});

test('a source that is no absolute path is refused by field and value', async () => {
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create(mounts({ hostPath: 'here', containerPath: '/data' })))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: 'config.mounts[0].host_path "here" is not an absolute path',
  });
});

test('a container writes to a layer of its own, which goes with it', async () => {
  const pod = await TestPod.run(node);
  expect(await pod.output(['sh', '-c', 'rm /bin/ls; echo new > /www/index.html; cat /www/index.html'])).toBe(
    'new\n',
  );
  expect(await pod.output(['cat', '/www/index.html'])).toBe('hello from a pod\n');
});

test('a read-only root file system takes no files, but mounts in it do', async () => {
  const hostPath = hostDirectory();
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'touch /www/x 2>&1; touch /data/x && echo fine; touch /dev/shm/x && echo shm'];
  const options = { ...mounts({ hostPath, containerPath: '/data' }), security: { readonlyRootfs: true } };
  const text = await pod.output(command, options);
  expect(text).toBe('touch: /www/x: Read-only file system\nfine\nshm\n');
});

test('a container that was removed leaves nothing of its layer on the disk', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({ command: ['sh', '-c', 'mkdir -p /a/b/c; touch /a/b/c/d'] });
  await container.waitForExit();
  await container.remove();
  await eventually('the layer is gone', () => !existsSync(join(node.place.root, 'snapshots', container.id)));
});
