// Who answers, in what state the node is, and what this version cannot do.

import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CgroupDriver } from '../../api/cri/generated/types.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

test('Version says who answers, with no field empty', async () => {
  expect(await node.client.version()).toEqual({
    version: '0.1.0',
    runtimeName: 'davit',
    runtimeVersion: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
    runtimeApiVersion: 'v1',
  });
});

test('Status says that runtime and network are ready', async () => {
  const { status } = await node.client.status();
  expect(status?.conditions).toEqual([
    { type: 'RuntimeReady', status: true, reason: '', message: '' },
    { type: 'NetworkReady', status: true, reason: '', message: '' },
  ]);
});

test('Status lists the runtime handlers, the default one under the empty name', async () => {
  const { runtimeHandlers } = await node.client.status();
  expect(runtimeHandlers.map(({ name }) => name)).toEqual(['', 'runc', 'crun']);
});

test('Status tells more only when it is asked for more', async () => {
  const brief = await node.client.status({ verbose: false });
  const verbose = await node.client.status({ verbose: true });
  expect(brief.info).toEqual({});
  expect(JSON.parse(verbose.info['config'] ?? '')).toMatchObject({ cgroupDriver: 'cgroupfs' });
});

test('RuntimeConfig tells the kubelet which cgroup driver to use', async () => {
  const { linux } = await node.client.runtimeConfig();
  expect(linux?.cgroupDriver).toBe(CgroupDriver.CGROUPFS);
});

test('UpdateRuntimeConfig takes the subnets of the pods, of both families', async () => {
  const networkConfig = { podCidr: '10.1.0.0/24,fd00::/64' };
  expect(await node.client.updateRuntimeConfig({ runtimeConfig: { networkConfig } })).toEqual({});
});

test('UpdateRuntimeConfig refuses what is no subnet, by name', async () => {
  const networkConfig = { podCidr: '10.1.0.0/24,many' };
  expect(await refusalOf(node.client.updateRuntimeConfig({ runtimeConfig: { networkConfig } }))).toEqual({
    code: 'INVALID_ARGUMENT',
    message: 'runtime_config.network_config.pod_cidr "many" is not a CIDR',
  });
});

test('what this version cannot do answers UNIMPLEMENTED and says so', async () => {
  expect(await refusalOf(node.client.checkpointContainer({ containerId: 'any' }))).toEqual({
    code: 'UNIMPLEMENTED',
    message: 'this version does not implement "CheckpointContainer"',
  });
});

test('the socket is open to root and its group, and to nobody else', () => {
  expect(statSync(node.place.socket).mode & 0o777).toBe(0o660);
});
