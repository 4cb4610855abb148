import { mkdirSync, symlinkSync } from 'node:fs';
import { expect, test } from 'vitest';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { checkMountPlaces } from './mount-places.ts';
import { toOciMounts, type MountInput } from './mounts.ts';

/** An image with links, and a volume with some. */
function setUp() {
  const dir = tempDir();
  const [rootfs, volume] = [dir.join('rootfs'), dir.join('volume')];
  for (const path of [rootfs, volume]) mkdirSync(path);
  for (const [name, target] of [
    ['to-proc', '/proc'],
    ['to-attr', '../../proc/self/attr'],
    ['to-dev', 'dev'],
    ['to-shm', '/dev/shm'],
    ['to-sys', '/sys/fs/cgroup'],
    ['to-root', '/'],
    ['to-itself', 'to-itself'],
    ['var-run', '/run'],
  ] as const)
    symlinkSync(target, dir.join('rootfs', name));
  symlinkSync('/dev', dir.join('volume', 'sub'));
  const check = (mounts: readonly MountInput[], { privileged = false } = {}) =>
    checkMountPlaces({ rootfs, mounts: toOciMounts({ mounts, privileged }), privileged });
  return {
    volume,
    check,
    [Symbol.dispose]: () => {
      dir[Symbol.dispose]();
    },
  };
}

test.each([
  '/data',
  '/var-run/secrets',
  '/dev/net',
  '/dev/shm',
  '/sys',
  '/sys/fs/bpf',
  '/etc/hosts',
  '/proc/meminfo',
])('a mount may be at "%s"', async (destination) => {
  using node = setUp();
  await expect(node.check([{ source: node.volume, destination }])).resolves.toBeUndefined();
});

test.each([
  ['/to-proc', 'which leads to "/proc": nothing is mounted in /proc'],
  ['/to-attr', 'which leads to "/proc/self/attr": nothing is mounted in /proc'],
  ['/to-proc/self', 'which leads to "/proc/self": nothing is mounted in /proc'],
  ['/proc', 'nothing is mounted in /proc'],
  ['/proc/sys', 'nothing is mounted in /proc'],
  ['/to-dev', 'which leads to "/dev": no link leads a mount there'],
  ['/to-shm', 'which leads to "/dev/shm": no link leads a mount there'],
  ['/to-sys', 'which leads to "/sys/fs/cgroup": no link leads a mount there'],
  ['/to-root', 'which leads to "/": nothing takes the place of the root'],
  ['/to-itself', 'it leads nowhere'],
  ['/dev', 'only the /dev of the node takes the place of that of the container'],
])('a mount at "%s" is refused', async (destination, why) => {
  using node = setUp();
  await expect(node.check([{ source: node.volume, destination }])).rejects.toMatchObject({
    code: 'failed_precondition',
    message: expect.stringMatching(new RegExp(`^cannot mount at "${destination}".*${why}$`)) as string,
  });
});

test('links of a volume lead no other mount there either', async () => {
  using node = setUp();
  const mounts = ['/data', '/data/sub'].map((destination) => ({ source: node.volume, destination }));
  await expect(node.check(mounts)).rejects.toThrow('cannot mount at "/data/sub", which leads to "/dev"');
});

test('a container may have the /dev and the /proc of the node, and a privileged one any /dev', async () => {
  using node = setUp();
  await node.check([
    { source: '/dev', destination: '/dev' },
    { source: '/proc', destination: '/proc' },
  ]);
  await node.check([{ source: node.volume, destination: '/dev' }], { privileged: true });
});
