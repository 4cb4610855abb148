import { expect, test } from 'vitest';
import { listMounts, mountOf, mountsUnder, parseMountInfo } from './mountinfo.ts';

test('parseMountInfo() skips the optional fields and unescapes paths', () => {
  const line = String.raw`36 35 98:0 /a /mnt/my\040disk rw,noatime shared:1 master:2 - ext4 /dev/sda1 rw,discard`;
  expect(parseMountInfo(`${line}\n`)).toEqual([
    {
      target: '/mnt/my disk',
      root: '/a',
      fsType: 'ext4',
      source: '/dev/sda1',
      options: ['rw', 'noatime'],
      superOptions: ['rw', 'discard'],
      peers: { shared: true, slave: true },
    },
  ]);
});

test('parseMountInfo() rejects a line it does not understand', () => {
  expect(() => parseMountInfo('nonsense')).toThrow('cannot read mountinfo line: nonsense');
});

test('listMounts() reads this machine', async () => {
  const targets = (await listMounts()).map((mount) => mount.target);
  expect(targets).toContain('/');
});

test('mountOf() finds the mount that a file is on', async () => {
  expect((await mountOf('/proc/self/status')).target).toBe('/proc');
  expect((await mountOf('/proc')).target).toBe('/proc');
  expect((await mountOf('/procedure')).target).not.toBe('/proc');
});

test('mountsUnder() includes the directory itself and nothing beside it', async () => {
  const targets = (await mountsUnder('/proc')).map((mount) => mount.target);
  expect(targets).toContain('/proc');
  expect(targets.filter((target) => !target.startsWith('/proc'))).toEqual([]);
});
