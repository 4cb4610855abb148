// What the interfaces of a pod have carried.

import type { InterfaceUsage, NetworkUsage } from '../usage.ts';
import { sample, type Metric } from './metric.ts';

export const NETWORK_METRICS: readonly Metric<NetworkUsage>[] = [
  carried('receive_bytes', 'Bytes received.', (usage) => usage.receivedBytes),
  carried('receive_packets', 'Packets received.', (usage) => usage.receivedPackets),
  carried('receive_packets_dropped', 'Packets dropped while receiving.', (usage) => usage.receiveDrops),
  carried('receive_errors', 'Errors while receiving.', (usage) => usage.receiveErrors),
  carried('transmit_bytes', 'Bytes sent.', (usage) => usage.sentBytes),
  carried('transmit_packets', 'Packets sent.', (usage) => usage.sentPackets),
  carried('transmit_packets_dropped', 'Packets dropped while sending.', (usage) => usage.sendDrops),
  carried('transmit_errors', 'Errors while sending.', (usage) => usage.sendErrors),
];

function carried(what: string, help: string, value: (usage: InterfaceUsage) => bigint): Metric<NetworkUsage> {
  return {
    name: `container_network_${what}_total`,
    help,
    kind: 'counter',
    labelKeys: ['interface'],
    read: ({ interfaces }) => interfaces.map((usage) => sample(value(usage), usage.name)),
  };
}
