import { expect, test } from 'vitest';
import { declaredVolumes } from './declared-volumes.ts';

test('paths are normal, sorted, each once', () => {
  expect(declaredVolumes(['/var//lib/x/', 'data', '/data', '/a/../b'], [])).toEqual([
    '/b',
    '/data',
    '/var/lib/x',
  ]);
});

test('where something is mounted there is none, and none takes the place of what the runtime has', () => {
  const mounts = [{ destination: '/data/' }, { destination: '/etc/hosts' }];
  const declared = [
    '/data',
    '/data/sub',
    '/etc/hosts',
    '/',
    '/proc',
    '/sys/fs/cgroup',
    '/dev/shm',
    '/devices',
  ];
  expect(declaredVolumes(declared, mounts)).toEqual(['/data/sub', '/devices']);
});

test('too many are refused', () => {
  const declared = Array.from({ length: 101 }, (_, index) => `/v${index}`);
  expect(() => declaredVolumes(declared, [])).toThrow('the image declares 101 volumes, more than 100');
});
