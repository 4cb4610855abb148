import { expect, test } from 'vitest';
import { networkResultSchema, parsePluginResult, toNetworkResult } from './result.ts';
import { makeList } from './testing/pods.ts';

const LIST = makeList({ plugins: [{ type: 'bridge' }] });
const INTERFACES = [
  { name: 'b0', mac: '00:11:22:33:44:55' },
  { name: 'veth1', mac: '00:11:22:33:44:56' },
  { name: 'eth0', mac: '00:11:22:33:44:57', sandbox: '/run/n/net' },
];

function resultOf(raw: object) {
  return toNetworkResult(LIST, parsePluginResult(LIST, 'bridge', JSON.stringify(raw)));
}

test('the result has both addresses of a dual-stack pod, in the order of the plugin', () => {
  const ips = [
    { address: 'fd00::5/64', gateway: 'fd00::1', interface: 2 },
    { address: '10.1.0.5/16', interface: 2 },
  ];
  const raw = { cniVersion: '1.0.0', interfaces: INTERFACES, ips, routes: [{ dst: '0.0.0.0/0' }], dns: {} };
  expect(resultOf(raw)).toEqual({
    cniVersion: '1.0.0',
    ips: ['fd00::5', '10.1.0.5'],
    interfaces: INTERFACES,
    raw,
  });
});

test('the result can be stored and read back', () => {
  const result = resultOf({ ips: [{ address: '10.1.0.5/16' }] });
  expect(networkResultSchema.parse(JSON.parse(JSON.stringify(result)))).toEqual(result);
});

test('the result has no address that belongs to the host', () => {
  const ips = [
    { address: '10.1.0.1/16', interface: 0 },
    { address: '10.1.0.5/16', interface: 2 },
  ];
  expect(resultOf({ interfaces: INTERFACES, ips }).ips).toEqual(['10.1.0.5']);
});

test('a result of 0.4.0 is understood', () => {
  const ips = [{ version: '4', interface: 2, address: '10.1.0.5/16', gateway: '10.1.0.1' }];
  expect(resultOf({ cniVersion: '0.4.0', interfaces: INTERFACES, ips, dns: {} }).ips).toEqual(['10.1.0.5']);
});

test('a result from before 0.3.0 is understood', () => {
  const raw = { ip4: { ip: '10.1.0.5/16', routes: [] }, ip6: { ip: 'fd00::5/64' }, dns: {} };
  expect(resultOf(raw).ips).toEqual(['10.1.0.5', 'fd00::5']);
});

test('a version that the plugin left out is added for the next one', () => {
  expect(parsePluginResult(LIST, 'bridge', '{"ips":null}')).toEqual({ cniVersion: '1.0.0', ips: null });
});

test('a pod without an address is a fault that names the network', () => {
  expect(() => resultOf({ interfaces: INTERFACES, ips: [] })).toThrow('network "net"');
});

test.for([
  '',
  'added',
  '[]',
  '{"ips":[{"address":"10.1.0"}]}',
  '{"ips":[{"address":"10.1.0.5/x"}]}',
  '{"ips":{}}',
])('an answer that is no result is a fault that names the plugin: %j', (stdout) => {
  expect(() => parsePluginResult(LIST, 'bridge', stdout)).toThrow('plugin "bridge" in network "net"');
});
