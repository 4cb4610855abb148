import { expect, test } from 'vitest';
import { parsePodCidr } from './pod-attachment.ts';
import { buildEnvironment, buildRequest, checkArgs, previousForDel } from './request.ts';
import { makeList, makePod } from './testing/pods.ts';

const CAPABLE = {
  type: 'x',
  capabilities: {
    portMappings: true,
    bandwidth: true,
    ipRanges: true,
    dns: true,
    cgroupPath: true,
    mac: true,
    'io.kubernetes.cri.pod-annotations': true,
  },
};

const FULL_POD = makePod({
  annotations: { a: 'b' },
  portMappings: [
    { protocol: 'tcp', containerPort: 80, hostPort: 8080, hostIp: '' },
    { protocol: 'udp', containerPort: 53, hostPort: 53, hostIp: '127.0.0.1' },
    { protocol: 'tcp', containerPort: 81, hostPort: 0, hostIp: '' },
  ],
  bandwidth: { ingressRate: 1000 },
  dns: { servers: ['10.0.0.10'], searches: ['svc'], options: ['ndots:5'] },
  cgroupPath: '/pods/p1',
  ipRanges: parsePodCidr('10.1.0.0/24, fd00::/64'),
});

test('buildRequest() gives a plugin the capabilities that it declares', () => {
  expect(buildRequest(makeList({ plugins: [CAPABLE] }), CAPABLE, FULL_POD)).toEqual({
    type: 'x',
    name: 'net',
    cniVersion: '1.0.0',
    runtimeConfig: {
      portMappings: [
        { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
        { hostPort: 53, containerPort: 53, protocol: 'udp', hostIP: '127.0.0.1' },
      ],
      bandwidth: { ingressRate: 1000, ingressBurst: 2147483647 },
      ipRanges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }]],
      dns: { servers: ['10.0.0.10'], searches: ['svc'], options: ['ndots:5'] },
      cgroupPath: '/pods/p1',
      'io.kubernetes.cri.pod-annotations': { a: 'b' },
    },
  });
});

test('buildRequest() keeps from a plugin what it does not declare, or declares as false', () => {
  const plugin = { type: 'x', capabilities: { portMappings: false, dns: true } };
  expect(buildRequest(makeList({ plugins: [plugin] }), plugin, FULL_POD)['runtimeConfig']).toEqual({
    dns: FULL_POD.dns,
  });
});

test('buildRequest() says nothing about capabilities that the pod does not use', () => {
  expect(buildRequest(makeList({ plugins: [CAPABLE] }), CAPABLE, makePod())).toEqual({
    type: 'x',
    name: 'net',
    cniVersion: '1.0.0',
  });
});

test('buildRequest() lets no file write what only the runtime may', () => {
  const plugin = {
    type: 'x',
    name: 'other',
    'cni.dev/attachments': [],
    prevResult: {},
    runtimeConfig: {},
    keyA: [1],
  };
  expect(buildRequest(makeList({ plugins: [plugin] }), plugin, makePod(), { ips: [] })).toEqual({
    type: 'x',
    keyA: [1],
    name: 'net',
    cniVersion: '1.0.0',
    prevResult: { ips: [] },
  });
});

test('previousForDel() hands nothing to versions that know no such thing', () => {
  const plugins = [{ type: 'x' }];
  expect([
    previousForDel(makeList({ plugins, cniVersion: '0.3.1' }), {}),
    previousForDel(makeList({ plugins, cniVersion: '0.4.0' }), {}),
  ]).toEqual([undefined, {}]);
});

test('buildEnvironment() says whose interface it is about, and to whom it belongs', () => {
  const pod = makePod({ netnsPath: '/run/n/net' });
  expect(buildEnvironment('ADD', ['/opt/cni/bin', '/usr/lib/cni'], pod)).toEqual({
    PATH: expect.stringContaining('/usr/sbin') as string,
    CNI_COMMAND: 'ADD',
    CNI_PATH: '/opt/cni/bin:/usr/lib/cni',
    CNI_CONTAINERID: pod.id,
    CNI_NETNS: '/run/n/net',
    CNI_IFNAME: 'eth0',
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID=${pod.id};K8S_POD_UID=0b5c`,
  });
});

test.for(['web;IP=10.0.0.1', 'a=b', 'a\0b', 'a\nb'])(
  'a pod cannot smuggle arguments in its name: %j',
  (name) => {
    const pod = makePod({ name });
    expect(() => {
      checkArgs(pod);
    }).toThrow('K8S_POD_NAME');
    expect(buildEnvironment('DEL', [], pod)).not.toMatchObject({
      CNI_ARGS: expect.stringContaining('NAME=') as string,
    });
  },
);
