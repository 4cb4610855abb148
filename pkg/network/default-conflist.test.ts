import { expect, test } from 'vitest';
import { defaultBridgeConflist } from './default-conflist.ts';
import { parseNetworkConfig } from './network-config.ts';

const NETWORK = {
  name: 'davit',
  bridge: 'davit0',
  subnet: '10.88.0.0/16',
  ipMasq: false,
  dataDir: '/var/lib/davit/cni',
};

test('the default network is a valid list', () => {
  const list = parseNetworkConfig(JSON.stringify(defaultBridgeConflist(NETWORK)), '10-davit.conflist');
  expect(list.plugins.map(({ type }) => type)).toEqual(['bridge', 'portmap']);
});

test('the default network with a second subnet gives each pod an address and a route of both families', () => {
  expect(defaultBridgeConflist({ ...NETWORK, secondSubnet: 'fd88::/64' })).toMatchObject({
    plugins: [
      {
        ipam: {
          ranges: [[{ subnet: '10.88.0.0/16' }], [{ subnet: 'fd88::/64' }]],
          routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
        },
      },
      {},
    ],
  });
});
