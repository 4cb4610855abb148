import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { pinNamespaces, unpinNamespaces } from '../sys/namespace.ts';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { findDefaultInterface, parseNetDev, readNetwork } from './network.ts';

const NET_DEV = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 32687919   11212    0    0    0     0          0         0 32687919   11212    0    0    0     0       0          0
  eth0:616111579   16977    1    2    0     0          0         0  1440809   10870    3    4    0     0       0          0
`;

test('the columns of each interface are read, also where no space follows the name', () => {
  expect(parseNetDev(NET_DEV)[1]).toEqual({
    name: 'eth0',
    receivedBytes: 616_111_579n,
    receivedPackets: 16_977n,
    receiveErrors: 1n,
    receiveDrops: 2n,
    sentBytes: 1_440_809n,
    sentPackets: 10_870n,
    sendErrors: 3n,
    sendDrops: 4n,
  });
});

test('the default interface is the one with the default route', () => {
  const routes = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth1	0000580A	00000000	0001	0	0	0	00FFFFFF	0	0	0
net1	00000000	0100580A	0003	0	0	0	00000000	0	0	0
`;
  expect(findDefaultInterface(routes)).toBe('net1');
  expect(findDefaultInterface('')).toBeUndefined();
});

const SEND_1000_BYTES = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.send(Buffer.alloc(1000), 9, process.argv[1], () => socket.close());
`;

test('what a namespace has sent is counted, without its loopback interface', () => {
  using dir = tempDir();
  using _pinned = pinned(dir.path);
  const inside = (...command: string[]) => {
    execFileSync('nsenter', [`--net=${dir.join('net')}`, ...command], { stdio: 'ignore' });
  };
  inside('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth1');
  inside('ip', 'link', 'set', 'eth1', 'up');
  inside('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'eth0');
  inside('ip', 'link', 'set', 'eth0', 'up');
  inside('ip', 'neighbour', 'add', '192.0.2.2', 'lladdr', '02:00:00:00:00:01', 'dev', 'eth0');
  inside('ip', 'route', 'add', 'default', 'via', '192.0.2.2');
  inside(process.execPath, '-e', SEND_1000_BYTES, '192.0.2.2');

  expect(readNetwork(dir.join('net'))).toEqual({
    takenAtNs: expect.any(BigInt) as bigint,
    defaultInterface: 'eth0',
    interfaces: [
      { ...quiet, name: 'eth1', receivedBytes: 1042n, receivedPackets: 1n },
      { ...quiet, name: 'eth0', sentBytes: 1042n, sentPackets: 1n }, // 14 Ethernet, 20 IP, 8 UDP
    ],
  });
});

const quiet = {
  receivedBytes: 0n,
  receivedPackets: 0n,
  receiveErrors: 0n,
  receiveDrops: 0n,
  sentBytes: 0n,
  sentPackets: 0n,
  sendErrors: 0n,
  sendDrops: 0n,
};

test('a namespace that is not there has carried nothing', () => {
  using dir = tempDir();
  expect(readNetwork(dir.join('net'))).toBeUndefined();
});

/** A namespace that sends nothing of itself. */
function pinned(dir: string): Disposable {
  pinNamespaces({ dir, types: ['net'], sysctls: { 'net.ipv6.conf.default.disable_ipv6': '1' } });
  return {
    [Symbol.dispose]: () => {
      unpinNamespaces(dir);
    },
  };
}
