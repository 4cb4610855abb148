// Requests that make no sense: each is refused with the right code and a message that names the thing.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  NamespaceMode,
  type ContainerConfigInit,
  type PodSandboxConfigInit,
} from '../../api/cri/generated/types.ts';
import { containerConfig } from './harness/container.ts';
import { podConfig, TestPod } from './harness/pod.ts';
import { refusalOf, type Refusal } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const UNKNOWN = 'f'.repeat(64);

type Client = typeof node.client;

const UNKNOWN_IDS: readonly [string, (client: Client) => Promise<unknown>, Refusal][] = [
  [
    'PodSandboxStatus',
    (client) => client.podSandboxStatus({ podSandboxId: UNKNOWN }),
    { code: 'NOT_FOUND', message: `cannot find pod sandbox "${UNKNOWN}"` },
  ],
  [
    'CreateContainer',
    (client) => client.createContainer({ podSandboxId: UNKNOWN, config: { metadata: { name: 'c' } } }),
    { code: 'NOT_FOUND', message: `cannot find pod sandbox "${UNKNOWN}"` },
  ],
  ...(
    [
      ['ContainerStatus', (client) => client.containerStatus({ containerId: UNKNOWN })],
      ['StartContainer', (client) => client.startContainer({ containerId: UNKNOWN })],
      ['ExecSync', (client) => client.execSync({ containerId: UNKNOWN, cmd: ['true'] })],
      ['ReopenContainerLog', (client) => client.reopenContainerLog({ containerId: UNKNOWN })],
      [
        'UpdateContainerResources',
        (client) => client.updateContainerResources({ containerId: UNKNOWN, linux: {} }),
      ],
    ] as const satisfies readonly [string, (client: Client) => Promise<unknown>][]
  ).map(([name, call]): [string, (client: Client) => Promise<unknown>, Refusal] => [
    name,
    call,
    { code: 'NOT_FOUND', message: `cannot find container "${UNKNOWN}"` },
  ]),
];

test.each(UNKNOWN_IDS)('%s of an id that nobody has names it', async (_, call, refusal) => {
  expect(await refusalOf(call(node.client))).toEqual(refusal);
});

test.each([
  ['StopPodSandbox', (client: Client) => client.stopPodSandbox({ podSandboxId: UNKNOWN })],
  ['RemovePodSandbox', (client: Client) => client.removePodSandbox({ podSandboxId: UNKNOWN })],
  ['StopContainer', (client: Client) => client.stopContainer({ containerId: UNKNOWN })],
  ['RemoveContainer', (client: Client) => client.removeContainer({ containerId: UNKNOWN })],
  ['RemoveImage', (client: Client) => client.removeImage({ image: { image: UNKNOWN } })],
])('%s of what nobody has has been done already', async (_, call) => {
  expect(await call(node.client)).toEqual({});
});

test.each([
  ['PodSandboxStatus', (client: Client) => client.podSandboxStatus(), 'pod_sandbox_id is missing'],
  ['StopPodSandbox', (client: Client) => client.stopPodSandbox(), 'pod_sandbox_id is missing'],
  ['RemovePodSandbox', (client: Client) => client.removePodSandbox(), 'pod_sandbox_id is missing'],
  ['ContainerStatus', (client: Client) => client.containerStatus(), 'container_id is missing'],
  ['StopContainer', (client: Client) => client.stopContainer(), 'container_id is missing'],
  ['RemoveContainer', (client: Client) => client.removeContainer(), 'container_id is missing'],
  ['RunPodSandbox', (client: Client) => client.runPodSandbox(), 'config is missing'],
])('%s without what it is about says what is missing', async (_, call, message) => {
  expect(await refusalOf(call(node.client))).toEqual({ code: 'INVALID_ARGUMENT', message });
});

const BAD_PODS: readonly [string, PodSandboxConfigInit, Refusal][] = [
  [
    'no metadata',
    { metadata: undefined },
    { code: 'INVALID_ARGUMENT', message: 'config.metadata is missing' },
  ],
  [
    'no uid',
    { metadata: { name: 'a', namespace: 'b', attempt: 0 } },
    { code: 'INVALID_ARGUMENT', message: 'config.metadata.uid is missing' },
  ],
  [
    'a host name that is none',
    { hostname: 'two words' },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.hostname "two words" is not a host name of at most 64 letters',
    },
  ],
  [
    'a host name of two lines',
    { hostname: 'web\n10.0.0.1' },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.hostname "web\n10.0.0.1" is not a host name of at most 64 letters',
    },
  ],
  [
    'a name server that is a second line of resolv.conf',
    { dnsConfig: { servers: ['10.0.0.1\noptions debug'] } },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.dns_config.servers "10.0.0.1\noptions debug" is not one word',
    },
  ],
  [
    'a port on an address that is none',
    { portMappings: [{ hostPort: 80, containerPort: 80, hostIp: '127.0.0.1 -j ACCEPT' }] },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.port_mappings[0].host_ip "127.0.0.1 -j ACCEPT" is not an address',
    },
  ],
  [
    'a sysctl of the network that it shares with the node',
    {
      linux: {
        sysctls: { 'net.ipv4.ip_forward': '0' },
        securityContext: { namespaceOptions: { network: NamespaceMode.NODE } },
      },
    },
    {
      code: 'INVALID_ARGUMENT',
      message:
        'config.linux.sysctls "net.ipv4.ip_forward" does not belong to a namespace that the pod has of its own',
    },
  ],
  [
    'a sysctl that climbs out of its tree',
    { linux: { sysctls: { 'net.ipv4/../../kernel/core_pattern': '|/bin/evil' } } },
    {
      code: 'INVALID_ARGUMENT',
      message:
        'config.linux.sysctls "net.ipv4/../../kernel/core_pattern" does not belong to a namespace that the pod has of its own',
    },
  ],
  [
    'a value for a sysctl that has two lines',
    { linux: { sysctls: { 'kernel.shm_rmid_forced': '1\nkernel.core_pattern = |/bin/evil' } } },
    {
      code: 'INVALID_ARGUMENT',
      message:
        'config.linux.sysctls["kernel.shm_rmid_forced"] "1\nkernel.core_pattern = |/bin/evil" is not one line',
    },
  ],
  [
    'a log directory that is no absolute path',
    { logDirectory: 'logs' },
    { code: 'INVALID_ARGUMENT', message: 'config.log_directory "logs" is not an absolute path' },
  ],
  [
    'a cgroup that climbs',
    { linux: { cgroupParent: '/kubepods/../system' } },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.linux.cgroup_parent "/kubepods/../system" is not a plain path',
    },
  ],
  [
    'a sysctl of the node',
    { linux: { sysctls: { 'kernel.panic': '1' } } },
    {
      code: 'INVALID_ARGUMENT',
      message:
        'config.linux.sysctls "kernel.panic" does not belong to a namespace that the pod has of its own',
    },
  ],
  [
    'a port that is none',
    { portMappings: [{ hostPort: 70_000, containerPort: 80 }] },
    { code: 'INVALID_ARGUMENT', message: 'config.port_mappings[0].host_port "70000" is not a port' },
  ],
  [
    'a network mode that a pod cannot have',
    { linux: { securityContext: { namespaceOptions: { network: NamespaceMode.CONTAINER } } } },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.linux.security_context.namespace_options.network "CONTAINER" is not possible here',
    },
  ],
];

test.each(BAD_PODS)('a pod with %s is refused', async (_, config, refusal) => {
  expect(await refusalOf(node.client.runPodSandbox({ config: podConfig(node, { config }) }))).toEqual(
    refusal,
  );
});

test('a sysctl that the kernel does not have is told by its name, and nothing is left', async () => {
  const linux = { sysctls: { 'net.ipv4.no_such_thing': '1' }, cgroupParent: node.place.cgroupParent };
  const { message } = await refusalOf(
    node.client.runPodSandbox({ config: podConfig(node, { config: { linux } }) }),
  );
  expect(message).toContain('net.ipv4.no_such_thing');
  expect((await node.client.listPodSandbox()).items).toEqual([]);
});

test('a value that would set a second sysctl of the node sets none', async () => {
  const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
  const sysctls = { 'kernel.shm_rmid_forced': '1+kernel.core_pattern=|/bin/evil' };
  const linux = { sysctls, cgroupParent: node.place.cgroupParent };
  const config = podConfig(node, { config: { linux } });
  const { message } = await refusalOf(node.client.runPodSandbox({ config }));
  expect(message).toContain('kernel.shm_rmid_forced');
  expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
});

test('an unknown runtime handler is refused by name, with those that there are', async () => {
  expect(await refusalOf(TestPod.run(node, { handler: 'kata' }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: 'unknown runtime handler "kata": there are runc, crun',
  });
});

const BAD_CONTAINERS: readonly [string, ContainerConfigInit, Refusal][] = [
  ['no name', { metadata: {} }, { code: 'INVALID_ARGUMENT', message: 'config.metadata.name is missing' }],
  ['no image', { image: undefined }, { code: 'INVALID_ARGUMENT', message: 'config.image is missing' }],
  [
    'an image that was never pulled',
    { image: { image: 'davit.local/nobody:v1' } },
    {
      code: 'NOT_FOUND',
      message: 'image "davit.local/nobody:v1" is not on this node: pull it first',
    },
  ],
  [
    'a variable without a name',
    { envs: [{ key: 'A=B', value: Buffer.from('c') }] },
    { code: 'INVALID_ARGUMENT', message: 'config.envs.key "A=B" is not the name of a variable' },
  ],
  [
    'a mount without a place',
    { mounts: [{ hostPath: '/tmp' }] },
    { code: 'INVALID_ARGUMENT', message: 'config.mounts[0].container_path is missing' },
  ],
  [
    'a signal that does not exist',
    { stopSignal: 999 },
    { code: 'INVALID_ARGUMENT', message: 'config.stop_signal "999" is not a known signal' },
  ],
  [
    'a device whose use makes no sense',
    { devices: [{ hostPath: '/dev/null', containerPath: '/dev/null', permissions: 'rwx' }] },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.devices[0].permissions "rwx" has other letters than r, w and m',
    },
  ],
  [
    'CPUs that are no list',
    { linux: { resources: { cpusetCpus: 'all' } } },
    { code: 'INVALID_ARGUMENT', message: 'resources.cpuset_cpus "all" is not a list like "0-3,7"' },
  ],
  [
    'a user beyond all ids',
    { linux: { securityContext: { runAsUser: { value: -1n } } } },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.linux.security_context.run_as_user "-1" is not an id from 0 to 4294967294',
    },
  ],
  [
    'more mounts than any pod has',
    { mounts: Array.from({ length: 10_001 }, () => ({ hostPath: '/tmp', containerPath: '/x' })) },
    { code: 'INVALID_ARGUMENT', message: 'config.mounts "10001" are more than 10000' },
  ],
  [
    'a user id that is 0 in 32 bits',
    { linux: { securityContext: { runAsUser: { value: 2n ** 32n } } } },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.linux.security_context.run_as_user "4294967296" is not an id from 0 to 4294967294',
    },
  ],
  [
    'a policy for groups that is not known',
    { linux: { securityContext: { supplementalGroupsPolicy: 7 } } },
    {
      code: 'INVALID_ARGUMENT',
      message: 'config.linux.security_context.supplemental_groups_policy "7" is not known',
    },
  ],
  [
    'a command with a zero byte',
    { command: ['sh', '-c', 'a\0b'] },
    { code: 'INVALID_ARGUMENT', message: '"a\\u0000b" contains a zero byte' },
  ],
  [
    'a variable whose value has a zero byte',
    { envs: [{ key: 'SECRET', value: Buffer.from('a\0b') }] },
    { code: 'INVALID_ARGUMENT', message: 'an environment variable contains a zero byte' },
  ],
  [
    'a target that is no container of the pod',
    {
      linux: {
        securityContext: { namespaceOptions: { pid: NamespaceMode.TARGET, targetId: UNKNOWN } },
      },
    },
    {
      code: 'INVALID_ARGUMENT',
      message: `config.linux.security_context.namespace_options.target_id "${UNKNOWN}" is not a running container of the pod`,
    },
  ],
];

test.each(BAD_CONTAINERS)('a container with %s is refused', async (_, config, refusal) => {
  const pod = await TestPod.run(node);
  const request = { podSandboxId: pod.id, config: containerConfig(pod, { config }) };
  expect(await refusalOf(node.client.createContainer(request))).toEqual(refusal);
  expect((await node.client.listContainers()).containers).toEqual([]);
});

test('a program that the image does not have is told by its name, and nothing is left', async () => {
  const pod = await TestPod.run(node);
  const { code, message } = await refusalOf(pod.start({ command: ['/no/such/program'] }));
  expect(code).toBe('INVALID_ARGUMENT');
  expect(message).toContain('/no/such/program');
});

test('a container that cannot take its place is refused, and its name is free again', async () => {
  const pod = await TestPod.run(node);
  const mounts = [{ hostPath: '/tmp', containerPath: '/bin/busybox/below' }];
  const { message } = await refusalOf(pod.create({ config: { mounts } }));
  expect(message).toContain('/bin/busybox/below');
  expect((await pod.create()).id).toMatch(/^[0-9a-f]{64}$/);
});
