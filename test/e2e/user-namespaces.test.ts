// Pods with users of their own (`hostUsers: false`): root in them is nobody special on the node.

import { mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NamespaceMode, type UserNamespaceInit } from '../../api/cri/generated/types.ts';
import { isCgroupV2 } from './harness/cgroups.ts';
import type { TestContainer } from './harness/container.ts';
import { ForwardClient } from './harness/forward-client.ts';
import { PORTS, servePod } from './harness/pod-servers.ts';
import { podConfig, TestPod, type PodOptions } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { TEST_IMAGE } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode({
  config: '[runtime.handlers.divides]\npath = "/usr/sbin/runc"\ncgroup_writable = true\n',
});

const HOST_ID = 262_144;
const mapping = [{ containerId: 0, hostId: HOST_ID, length: 65_536 }];
const usernsOptions: UserNamespaceInit = { mode: NamespaceMode.POD, uids: mapping, gids: mapping };

async function runUserPod({ namespaces, ...options }: PodOptions = {}): Promise<TestPod> {
  return await TestPod.run(node, { ...options, namespaces: { usernsOptions, ...namespaces } });
}

const ownerOf = (path: string): string => {
  const { uid, gid } = statSync(path);
  return `${uid}:${gid}`;
};

async function rootOf(container: TestContainer): Promise<string> {
  return `/proc/${(await container.info()).pid}/root`;
}

test('root of the pod is another user on the node, and owns its files', async () => {
  const pod = await runUserPod();
  const container = await pod.start();
  const { pid } = await container.info();
  expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim().split(/\s+/)).toEqual(['0', '262144', '65536']);
  expect(readFileSync(`/proc/${pid}/gid_map`, 'utf8').trim().split(/\s+/)).toEqual(['0', '262144', '65536']);
  expect(ownerOf(`/proc/${pid}`)).toBe(`${HOST_ID}:${HOST_ID}`);
  expect((await container.exec(['sh', '-c', 'id -u; stat -c %u:%g / /bin/busybox /etc/passwd'])).stdout).toBe(
    '0\n0:0\n0:0\n0:0\n',
  );
  await container.exec(['sh', '-c', 'echo x > /made; chmod 600 /etc/passwd; chown 7:8 /made']);
  const written = join(node.place.root, 'snapshots', container.id, 'fs');
  expect(ownerOf(join(written, 'made'))).toBe(`${HOST_ID + 7}:${HOST_ID + 8}`);
  expect(ownerOf(join(written, 'etc/passwd'))).toBe(`${HOST_ID}:${HOST_ID}`);
});

test('the namespaces of the pod belong to its users', async () => {
  const pod = await runUserPod({ namespaces: { pid: NamespaceMode.POD } });
  const [one, other] = [await pod.start({ name: 'one' }), await pod.start({ name: 'other' })];
  const [a, b] = [(await one.info()).pid, (await other.info()).pid];
  for (const type of ['user', 'net', 'ipc', 'uts', 'pid']) {
    expect(readlinkSync(`/proc/${a}/ns/${type}`)).toBe(readlinkSync(`/proc/${b}/ns/${type}`));
    expect(readlinkSync(`/proc/${a}/ns/${type}`)).not.toBe(readlinkSync(`/proc/self/ns/${type}`));
  }
  expect((await one.exec(['hostname'])).stdout.trim()).toBe(pod.config.hostname);
  expect((await one.exec(['ps', '-o', 'args'])).stdout).toContain('/init -P');
});

test('root of the pod may set up its network, and nothing of the node', async () => {
  const pod = await runUserPod();
  const capabilities = { addCapabilities: ['NET_ADMIN', 'SYS_TIME'] };
  const container = await pod.start({ security: { capabilities } });
  expect((await container.exec(['ip', 'link', 'set', 'lo', 'down'])).exitCode).toBe(0);
  expect((await container.exec(['date', '-s', '2001-01-01'])).stderr).toContain('not permitted');
  expect((await container.exec(['sh', '-c', 'echo 1 > /proc/sysrq-trigger'])).exitCode).not.toBe(0);
});

test('volumes are shown to the pod as if their owners were its own', async () => {
  const volume = join(node.place.dir, 'volume');
  mkdirSync(volume, { recursive: true });
  writeFileSync(join(volume, 'secret'), 'hidden\n', { mode: 0o600 });
  const [uidMappings, gidMappings] = [mapping, mapping];
  const file = join(volume, 'secret');
  const mounts = [
    { containerPath: '/data', hostPath: volume, uidMappings, gidMappings },
    { containerPath: '/one', hostPath: file, readonly: true, uidMappings, gidMappings },
    { containerPath: '/plain', hostPath: volume },
  ];
  const pod = await runUserPod();
  const container = await pod.start({ config: { mounts } });
  const script = 'cat /data/secret /one; stat -c %u /data/secret /plain/secret; echo new > /data/made';
  expect((await container.exec(['sh', '-c', script])).stdout).toBe('hidden\nhidden\n0\n65534\n');
  expect(ownerOf(join(volume, 'made'))).toBe('0:0');
  expect((await container.exec(['sh', '-c', 'cat /plain/secret'])).stderr).toContain('denied');
  expect((await container.exec(['sh', '-c', 'echo x > /one'])).stderr).toContain('Read-only');
  const { mounts: shown } = await container.status();
  expect(shown.map((mount) => [...mount.uidMappings])).toEqual([mapping, mapping, []]);
});

test('files, memory and devices that every container has belong to root of the pod', async () => {
  const pod = await runUserPod();
  const script = `cat /etc/hostname; echo 1.2.3.4 a >> /etc/hosts; echo s > /dev/shm/s
    stat -c %u /etc/hosts /etc/resolv.conf /dev/shm /dev/shm/s /proc/1 /dev/pts; echo x > /dev/null`;
  const container = await pod.start();
  const { stdout, stderr } = await container.exec(['sh', '-c', script]);
  expect([stderr, stdout]).toEqual(['', `${pod.config.hostname ?? ''}\n0\n0\n0\n0\n0\n0\n`]);
  expect(ownerOf(join(await rootOf(container), 'dev/shm/s'))).toBe(`${HOST_ID}:${HOST_ID}`);
});

test('sysctls of network and ipc are set in such a pod, too', async () => {
  const sysctls = { 'net.ipv4.ip_unprivileged_port_start': '777', 'kernel.shm_rmid_forced': '1' };
  const base = podConfig(node, { namespaces: { usernsOptions } });
  const pod = await TestPod.run(node, { config: { ...base, linux: { ...base.linux, sysctls } } });
  const files = ['/proc/sys/net/ipv4/ip_unprivileged_port_start', '/proc/sys/kernel/shm_rmid_forced'];
  expect(await pod.output(['cat', ...files])).toBe('777\n1\n');
});

test('such a pod is stopped, restarted around, limited and measured as any other', async () => {
  const pod = await runUserPod();
  const container = await pod.start({ resources: { memoryLimitInBytes: 64n << 20n } });
  await node.kill9();
  await node.start();
  const linux = { memoryLimitInBytes: 96n << 20n };
  await node.client.updateContainerResources({ containerId: container.id, linux });
  const { stats } = await node.client.containerStats({ containerId: container.id });
  expect(stats?.memory?.workingSetBytes?.value).toBeGreaterThan(0n);
  expect((await pod.status()).linux?.namespaces?.options?.usernsOptions).toMatchObject(usernsOptions);
  expect((await container.exec(['id', '-u'])).stdout).toBe('0\n');
  await container.stop();
  expect((await container.status()).exitCode).toBe(0);
});

test('a pod with users of its own may be on the network of the node', async () => {
  const pod = await runUserPod({ namespaces: { network: NamespaceMode.NODE } });
  const container = await pod.start();
  const { pid } = await container.info();
  expect(readlinkSync(`/proc/${pid}/ns/net`)).toBe(readlinkSync('/proc/self/ns/net'));
  expect((await container.exec(['ip', 'link', 'add', 'dv0', 'type', 'dummy'])).exitCode).not.toBe(0);
  expect((await container.exec(['ls', '/sys/class/net'])).stdout).toContain(node.place.bridge);
  expect((await container.exec(['sh', '-c', 'echo 9000 > /sys/class/net/lo/mtu'])).exitCode).not.toBe(0);
});

test('ports of such a pod are forwarded', async () => {
  const pod = await runUserPod();
  await using _servers = await servePod(pod);
  const { url } = await node.client.portForward({ podSandboxId: pod.id });
  using client = await ForwardClient.connect('websocket', url);
  const forwarded = client.open(PORTS.echoTwice);
  forwarded.write('hello');
  forwarded.end();
  await forwarded.over();
  expect([forwarded.data.text, forwarded.error.text]).toEqual(['hellohello', '']);
});

test('an image that is a volume belongs to root of the pod', async () => {
  const pod = await runUserPod();
  const mounts = [{ containerPath: '/other', readonly: true, image: { image: TEST_IMAGE } }];
  const command = ['stat', '-c', '%u:%g', '/other', '/other/etc/passwd', '/other/home/alice'];
  expect(await pod.output(command, { config: { mounts } })).toBe('0:0\n0:0\n1000:1000\n');
});

test('a container may divide its own cgroup where its handler lets it and the version is 2', async () => {
  const hierarchy = isCgroupV2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
  const divide = ['mkdir', `${hierarchy}/part`];
  const [own, others] = [await runUserPod({ handler: 'divides' }), await runUserPod()];
  expect((await (await own.start()).exec(divide)).exitCode).toBe(isCgroupV2 ? 0 : 1);
  expect((await (await others.start()).exec(divide)).stderr).toContain('Read-only file system');
});

test('the node says that it can', async () => {
  const { runtimeHandlers, features } = await node.client.status({});
  const can = Object.fromEntries(runtimeHandlers.map(({ name, features: f }) => [name, f?.userNamespaces]));
  expect(can).toMatchObject({ '': true, runc: true });
  expect(features?.userNamespacesHostNetwork).toBe(true);
});

const options = (change: UserNamespaceInit): UserNamespaceInit => ({ ...usernsOptions, ...change });
const AT = 'config.linux.security_context.namespace_options.userns_options';

test.each([
  [{ uids: [] }, `${AT}.uids "" is not one mapping`],
  [{ gids: [...mapping, ...mapping] }, `${AT}.gids "0 262144 65536, 0 262144 65536" is not one mapping`],
  [
    { uids: [{ containerId: 1, hostId: 9, length: 9 }] },
    `${AT}.uids "1 9 9" does not map id 0 of the container`,
  ],
  [{ uids: [{ hostId: 0, length: 9 }] }, `${AT}.uids "0 0 9" maps to root of the node`],
  [{ uids: [{ hostId: 4294967290, length: 9 }] }, `${AT}.uids "0 4294967290 9" is not a range of ids`],
  [{ gids: [{ hostId: 9, length: 9 }] }, `${AT}.gids "0 9 9" differs from "0 262144 65536" of the users`],
  [{ mode: NamespaceMode.NODE }, `${AT}.mode "NODE" does not go with mappings of ids`],
  [{ mode: NamespaceMode.CONTAINER }, `${AT}.mode "CONTAINER" is not possible: it is POD or NODE`],
  [{ mode: NamespaceMode.TARGET }, `${AT}.mode "TARGET" is not possible: it is POD or NODE`],
])('user namespaces like %o are refused', async (change, message) => {
  const refused = TestPod.run(node, { namespaces: { usernsOptions: options(change) } });
  expect(await refusalOf(refused)).toEqual({ code: 'INVALID_ARGUMENT', message });
});

test('a container that differs from its pod is refused, with its mounts and its user', async () => {
  const pod = await runUserPod();
  const other = [{ containerId: 0, hostId: HOST_ID + 65_536, length: 65_536 }];
  const wrong = { ...usernsOptions, uids: other, gids: other };
  expect(await refusalOf(pod.create({ security: { namespaceOptions: { usernsOptions: wrong } } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: `${AT} "0 327680 65536" differs from "0 262144 65536" of the pod sandbox`,
  });
  const mounts = [{ containerPath: '/data', hostPath: '/etc', uidMappings: other, gidMappings: other }];
  expect((await refusalOf(pod.create({ config: { mounts } }))).message).toBe(
    'config.mounts[0].uid_mappings "0 327680 65536" differs from "0 262144 65536" of the pod sandbox',
  );
  expect((await refusalOf(pod.create({ security: { runAsUser: { value: 65_536n } } }))).message).toBe(
    'id "65536" is not among the 65536 that the pod has',
  );
});

test('a volume whose file system cannot map ids is refused by name', async () => {
  const pod = await runUserPod();
  const mounts = [{ containerPath: '/p', hostPath: '/proc', uidMappings: mapping, gidMappings: mapping }];
  const { code, message } = await refusalOf(pod.create({ config: { mounts } }));
  expect(code).toBe('FAILED_PRECONDITION');
  expect(message).toContain('cannot map the ids of "/proc": its file system does not support that');
});

test('a pod with users of its own cannot have processes or ipc of the node', async () => {
  for (const name of ['pid', 'ipc']) {
    const refused = runUserPod({ namespaces: { [name]: NamespaceMode.NODE } });
    expect((await refusalOf(refused)).message).toBe(
      `config.linux.security_context.namespace_options.${name} "NODE" is not possible together with userns_options.mode "POD"`,
    );
  }
});
