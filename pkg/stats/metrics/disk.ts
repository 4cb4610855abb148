// The writable layer, and what is read from and written to disks.

import type { DeviceUsage } from '../usage.ts';
import type { GroupSubject } from './group-subject.ts';
import { gauge, sample, type Metric } from './metric.ts';

/** Stands for all of them in a group that has not used any, so that the metric is there from the beginning. */
const NO_DEVICE: DeviceUsage = {
  major: '0',
  minor: '0',
  device: '',
  reads: 0n,
  writes: 0n,
  readBytes: 0n,
  writtenBytes: 0n,
};

export const DISK_METRICS: readonly Metric<GroupSubject>[] = [
  {
    name: 'container_fs_usage_bytes',
    help: 'Room that the files written by the container take on the disk.',
    kind: 'gauge',
    labelKeys: [],
    read: ({ layer }) => (layer === undefined ? [] : [sample(layer.usedBytes)]),
  },
  gauge(
    'container_fs_limit_bytes',
    'Size of the file system that has the writable layer.',
    ({ capacity }) => capacity.sizeBytes,
  ),
  gauge('container_fs_inodes_total', 'Inodes of that file system.', ({ capacity }) => capacity.inodes),
  gauge(
    'container_fs_inodes_free',
    'Free inodes of that file system.',
    ({ capacity }) => capacity.freeInodes,
  ),
  perDevice('container_fs_reads_total', 'Reads from disks.', ({ reads }) => reads),
  perDevice('container_fs_reads_bytes_total', 'Bytes read from disks.', ({ readBytes }) => readBytes),
  perDevice('container_fs_writes_total', 'Writes to disks.', ({ writes }) => writes),
  perDevice('container_fs_writes_bytes_total', 'Bytes written to disks.', ({ writtenBytes }) => writtenBytes),
  {
    name: 'container_blkio_device_usage_total',
    help: 'Bytes read from and written to disks.',
    kind: 'counter',
    labelKeys: ['device', 'major', 'minor', 'operation'],
    read: (subject) =>
      devicesOf(subject).flatMap(({ device, major, minor, readBytes, writtenBytes }) => [
        sample(readBytes, device, major, minor, 'read'),
        sample(writtenBytes, device, major, minor, 'write'),
      ]),
  },
];

function perDevice(name: string, help: string, value: (usage: DeviceUsage) => bigint): Metric<GroupSubject> {
  return {
    name,
    help,
    kind: 'counter',
    labelKeys: ['device'],
    read: (subject) => devicesOf(subject).map((usage) => sample(value(usage), usage.device)),
  };
}

function devicesOf({ usage }: GroupSubject): readonly DeviceUsage[] {
  return usage.detail.devices.length === 0 ? [NO_DEVICE] : usage.detail.devices;
}
