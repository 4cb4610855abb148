// As whom a container runs when its image says so, and what files the groups of its pod open.

import { chmodSync, chownSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ContainerOptions } from './harness/container.ts';
import { writeOciArchive } from './harness/image-archive.ts';
import { buildImage, type LayerEntry } from './harness/image-builder.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf, type Refusal } from './harness/refusal.ts';
import { busyboxEntries } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const ACCOUNTS: LayerEntry[] = [
  { path: '/etc/passwd', data: 'root:x:0:0::/:\nalice:x:1000:1001::/:\n' },
  { path: '/etc/group', data: 'audio:x:29:alice\nstaff:x:50:\n' },
];

/** @returns the name of an image with this `USER`, which the caller removes */
async function imageOf(user: string, accounts: readonly LayerEntry[] = ACCOUNTS): Promise<string> {
  const name = `davit.local/user-${crypto.randomUUID()}:v1`;
  const layers = [{ entries: busyboxEntries() }, { entries: accounts }].filter(
    ({ entries }) => entries.length > 0,
  );
  const image = await buildImage({ layers, config: { Env: ['PATH=/bin'], User: user } });
  const path = join(node.place.dir, 'user.tar');
  await writeOciArchive(path, name, image);
  await node.davit.loadImages({ path });
  return name;
}

interface WhoOptions extends Pick<ContainerOptions, 'security'> {
  readonly user: string;
  readonly accounts?: readonly LayerEntry[];
}

/** `uid gid groups` of a container, by itself and by its status. */
async function who({ user, accounts, security = {} }: WhoOptions): Promise<[string, string]> {
  const image = await imageOf(user, accounts);
  const pod = await TestPod.run(node);
  const command = ['sh', '-c', 'echo $(id -u) $(id -g) $(id -G)'];
  const container = await pod.start({ image, command, security });
  const { user: told } = await container.waitForExit();
  const output = container.logText('stdout').trim();
  await pod.remove();
  await node.client.removeImage({ image: { image } });
  const { uid, gid, supplementalGroups = [] } = told?.linux ?? {};
  return [output, [uid, gid, ...supplementalGroups].join(' ')];
}

test.each([
  ['alice', '1000 1001 1001 29'],
  ['1000', '1000 1001 1001 29'],
  ['alice:staff', '1000 50 50 29'],
  ['1000:77', '1000 77 77 29'],
  ['4242', '4242 0 0'],
])('the user "%s" of an image is %s, and the status tells it', async (user, expected) => {
  expect(await who({ user })).toEqual([expected, expected]);
});

test('what the pod says wins over the image, whose group goes with its user', async () => {
  const security = { runAsUser: { value: 0n } };
  expect(await who({ user: 'alice:staff', security })).toEqual(['0 0 0', '0 0 0']);
});

test('an image without accounts runs by number', async () => {
  expect(await who({ user: '5:6', accounts: [] })).toEqual(['5 6 6', '5 6 6']);
});

test('the accounts of an image are not looked for outside of it', async () => {
  const accounts: LayerEntry[] = [{ path: '/etc/passwd', type: 'symlink', target: '../../../../etc/passwd' }];
  expect(await who({ user: '1', accounts })).toEqual(['1 0 0', '1 0 0']); // the node's "daemon" is in group 1
});

const BAD_USERS: readonly [string, Refusal][] = [
  ['bob', { code: 'INVALID_ARGUMENT', message: 'the image has no user "bob"' }],
  ['alice:crew', { code: 'INVALID_ARGUMENT', message: 'the image has no group "crew"' }],
  ['4294967296', { code: 'INVALID_ARGUMENT', message: 'the image has no user "4294967296"' }],
  [
    '18446744073709551616',
    { code: 'INVALID_ARGUMENT', message: 'the image has no user "18446744073709551616"' },
  ],
];

test.each(BAD_USERS)('the user "%s" of an image is refused', async (user, refusal) => {
  const image = await imageOf(user);
  const pod = await TestPod.run(node);
  expect(await refusalOf(pod.create({ image }))).toEqual(refusal);
  await pod.remove();
  await node.client.removeImage({ image: { image } });
});

test('a number that is no id is told to the kubelet as a name, never as that of root', async () => {
  const name = await imageOf('4294967296');
  const { image } = await node.client.imageStatus({ image: { image: name } });
  expect(image).toMatchObject({ uid: undefined, username: '4294967296' });
  await node.client.removeImage({ image: { image: name } });
});

test('a volume that the kubelet gave to the group of the pod can be written by its members', async () => {
  const hostPath = mkdtempSync(join(node.place.dir, 'volume-'));
  chownSync(hostPath, 0, 5000);
  chmodSync(hostPath, 0o2770);
  const pod = await TestPod.run(node);
  const script = 'touch /data/x && stat -c "%u %g" /data/x';
  const mounts = [{ hostPath, containerPath: '/data' }];
  const security = { runAsUser: { value: 1000n }, supplementalGroups: [5000n] };
  const container = await pod.start({
    security,
    config: { command: ['sh', '-c', script], mounts, linux: { securityContext: security } },
  });
  await container.waitForExit();
  expect(container.logText('stdout')).toBe('1000 5000\n');
});
