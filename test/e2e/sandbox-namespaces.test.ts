// What the containers of a pod share, and what they do not.

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NamespaceMode } from '../../api/cri/generated/types.ts';
import { cgroupOf } from './harness/cgroup-driver.ts';
import { hierarchies, hierarchyOf } from './harness/cgroups.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const TYPES = ['net', 'ipc', 'uts', 'pid', 'mnt', 'user', 'cgroup'] as const;

function namespacesOf(pid: number | 'self'): Record<(typeof TYPES)[number], string> {
  const links = TYPES.map((type) => [type, readlinkSync(`/proc/${pid}/ns/${type}`)]);
  return Object.fromEntries(links) as Record<(typeof TYPES)[number], string>; // one entry for each type
}

/** Types of namespace that two processes have in common. */
function sharedNamespaces(a: number | 'self', b: number | 'self'): string[] {
  const [left, right] = [namespacesOf(a), namespacesOf(b)];
  return TYPES.filter((type) => left[type] === right[type]);
}

async function pidsOfTwoContainers(pod: TestPod): Promise<[number, number]> {
  const first = await pod.start({ name: 'first' });
  const second = await pod.start({ name: 'second' });
  return [(await first.info()).pid, (await second.info()).pid];
}

test('containers of a pod share network, ipc and uts with each other, and nothing but users with the node', async () => {
  const pod = await TestPod.run(node);
  const [first, second] = await pidsOfTwoContainers(pod);
  const hasCgroupNamespace = hierarchies().length === 1; // of version 2 only, as the kubelet's other runtimes do
  expect(sharedNamespaces(first, second)).toEqual(
    hasCgroupNamespace ? ['net', 'ipc', 'uts', 'user'] : ['net', 'ipc', 'uts', 'user', 'cgroup'],
  );
  expect(sharedNamespaces(first, 'self')).toEqual(hasCgroupNamespace ? ['user'] : ['user', 'cgroup']);
});

test('two pods share nothing with each other', async () => {
  const [one, other] = [await TestPod.run(node), await TestPod.run(node)];
  const [a, b] = [await (await one.start()).info(), await (await other.start()).info()];
  expect(sharedNamespaces(a.pid, b.pid)).toEqual(sharedNamespaces(a.pid, 'self'));
});

test('a pod on the network of the node has its interfaces and its host name', async () => {
  const pod = await TestPod.run(node, { namespaces: { network: NamespaceMode.NODE } });
  const container = await pod.start();
  const { pid } = await container.info();
  expect(sharedNamespaces(pid, 'self')).toContain('net');
  expect((await container.exec(['hostname'])).stdout.trim()).toBe(hostname());
  expect(await pod.ip()).toBe('');
});

test('a pod on the ipc namespace of the node sees its /dev/shm', async () => {
  const pod = await TestPod.run(node, { namespaces: { ipc: NamespaceMode.NODE } });
  const { pid } = await (await pod.start()).info();
  expect(sharedNamespaces(pid, 'self')).toContain('ipc');
});

test('containers of a pod with one pid namespace see each other, below an init that is none of them', async () => {
  const pod = await TestPod.run(node, { namespaces: { pid: NamespaceMode.POD } });
  const [first, second] = await pidsOfTwoContainers(pod);
  expect(sharedNamespaces(first, second)).toContain('pid');
  expect(sharedNamespaces(first, 'self')).not.toContain('pid');
  const seen = await pod.output(['ps', '-o', 'pid,args']);
  expect(seen.split('\n').filter((line) => line.includes('sleep 1000')).length).toBeGreaterThanOrEqual(2);
  expect(seen).toMatch(/^ *1 \/init -P$/m);
});

test('the end of a container with a shared pid namespace ends all that it has started', async () => {
  const pod = await TestPod.run(node, { namespaces: { pid: NamespaceMode.POD } });
  const witness = await pod.start({ name: 'witness' });
  const parent = await pod.start({ name: 'parent', command: ['sh', '-c', 'sleep 2222 & sleep 0.1; exit 3'] });
  expect((await parent.waitForExit()).exitCode).toBe(3);
  expect((await witness.exec(['ps', '-o', 'args'])).stdout).not.toContain('sleep 2222');
});

test('a container of the pid namespace of the node sees the processes of the node', async () => {
  const pod = await TestPod.run(node, { namespaces: { pid: NamespaceMode.NODE } });
  const { pid } = await (await pod.start()).info();
  expect(sharedNamespaces(pid, 'self')).toContain('pid');
});

test('a container has the processes of the node only in a pod that has them', async () => {
  const pod = await TestPod.run(node);
  const namespaceOptions = { pid: NamespaceMode.NODE };
  expect(await refusalOf(pod.create({ security: { namespaceOptions } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: `config.linux.security_context.namespace_options.pid "NODE" is not what pod sandbox "${pod.id}" has`,
  });
});

test('a container of a pod with one pid namespace may have its own', async () => {
  const pod = await TestPod.run(node, { namespaces: { pid: NamespaceMode.POD } });
  const [first] = await pidsOfTwoContainers(pod);
  const namespaceOptions = { pid: NamespaceMode.CONTAINER };
  const alone = await pod.start({ name: 'alone', security: { namespaceOptions } });
  expect(sharedNamespaces(first, (await alone.info()).pid)).not.toContain('pid');
  expect((await alone.exec(['ps', '-o', 'pid,comm'])).stdout).toMatch(/^ *1 sh$/m);
});

test('a container may look into the pid namespace of another one of its pod', async () => {
  const pod = await TestPod.run(node);
  const target = await pod.start({ name: 'target' });
  const debug = await pod.start({
    name: 'debug',
    security: { namespaceOptions: { pid: NamespaceMode.TARGET, targetId: target.id } },
  });
  const pids = [(await target.info()).pid, (await debug.info()).pid] as const;
  expect(sharedNamespaces(...pids)).toContain('pid');
});

test('containers have the host name of the pod, in the kernel and in their files', async () => {
  const pod = await TestPod.run(node, { config: { hostname: 'web-0' } });
  const container = await pod.start();
  expect((await container.exec(['hostname'])).stdout).toBe('web-0\n');
  expect((await container.exec(['cat', '/etc/hostname'])).stdout).toBe('web-0\n');
});

test('containers resolve names as the pod says', async () => {
  const pod = await TestPod.run(node);
  expect(await pod.output(['cat', '/etc/resolv.conf'])).toBe(
    'search e2e.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n',
  );
});

test('a pod that says nothing about names resolves them as the node does', async () => {
  const pod = await TestPod.run(node, { config: { dnsConfig: undefined } });
  expect(await pod.output(['cat', '/etc/resolv.conf'])).toBe(readFileSync('/etc/resolv.conf', 'utf8'));
});

test('sysctls hold in the pod and not on the node', async () => {
  const name = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
  const onNode = readFileSync(name, 'utf8');
  const sysctls = { 'net.ipv4.ip_unprivileged_port_start': '777', 'kernel.shm_rmid_forced': '1' };
  const pod = await TestPod.run(node, {
    config: { linux: { sysctls, cgroupParent: node.place.cgroupParent } },
  });
  expect(await pod.output(['cat', name, '/proc/sys/kernel/shm_rmid_forced'])).toBe('777\n1\n');
  expect(readFileSync(name, 'utf8')).toBe(onNode);
});

test('/dev/shm is shared by the pod, has 64 MiB, and is not that of the node', async () => {
  const pod = await TestPod.run(node);
  await pod.output(['sh', '-c', 'echo shared > /dev/shm/note']);
  const seen = await pod.output(['sh', '-c', 'cat /dev/shm/note; df -m /dev/shm | tail -n 1']);
  expect(seen).toMatch(/^shared\ntmpfs +64 /);
});

test('the sandbox has a cgroup of its own, named by its id, beside those of its containers', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { cgroupPath, pid } = await container.info();
  const memory = hierarchyOf('memory');
  const parent = pod.config.linux?.cgroupParent ?? '';
  expect(cgroupPath).toBe(cgroupOf(parent, container.id));
  expect(readFileSync(join(memory, cgroupOf(parent, pod.id), 'cgroup.procs'), 'utf8')).toBe('');
  expect(readFileSync(join(memory, cgroupPath, 'cgroup.procs'), 'utf8').split('\n')).toContain(String(pid));
});
