import { describe, expect, test } from 'vitest';
import { toOciMounts, toRootfsPropagation } from './mounts.ts';

const at = (mounts: ReturnType<typeof toOciMounts>, destination: string) =>
  mounts.filter((mount) => mount.destination === destination);

describe('toOciMounts()', () => {
  test('gives every container its own /proc, /dev and /sys, which it cannot write', () => {
    const mounts = toOciMounts({ mounts: [], sharedMemory: '/run/pod/shm', privileged: false });
    expect(mounts.map(({ destination, type }) => `${type} ${destination}`)).toEqual([
      'proc /proc',
      'tmpfs /dev',
      'sysfs /sys',
      'devpts /dev/pts',
      'mqueue /dev/mqueue',
      'bind /dev/shm',
      'cgroup /sys/fs/cgroup',
    ]);
    expect(at(mounts, '/sys')[0]?.options).toContain('ro');
    expect(at(mounts, '/sys/fs/cgroup')[0]?.options).toContain('ro');
    expect(at(mounts, '/dev/shm')[0]?.source).toBe('/run/pod/shm');
  });

  test('lets privileged containers write /sys and cgroups', () => {
    const mounts = toOciMounts({ mounts: [], privileged: true });
    expect(at(mounts, '/sys')[0]?.options).toContain('rw');
    expect(at(mounts, '/sys/fs/cgroup')[0]?.options).toContain('rw');
  });

  test.for([
    { input: {}, options: ['rbind', 'rprivate', 'rw'] },
    { input: { readonly: true }, options: ['rbind', 'rprivate', 'ro'] },
    { input: { readonly: true, recursiveReadonly: true }, options: ['rbind', 'rprivate', 'ro', 'rro'] },
    { input: { propagation: 'host_to_container' as const }, options: ['rbind', 'rslave', 'rw'] },
    { input: { propagation: 'bidirectional' as const }, options: ['rbind', 'rshared', 'rw'] },
    { input: { options: ['noexec'] }, options: ['rbind', 'rprivate', 'rw', 'noexec'] },
  ])('a mount of $input has the options $options', ({ input, options }) => {
    const mount = { source: '/host', destination: '/data/', ...input };
    const mounts = toOciMounts({ mounts: [mount], privileged: false });
    expect(at(mounts, '/data')).toEqual([{ destination: '/data', type: 'bind', source: '/host', options }]);
  });

  test('a mount of the pod replaces ours at the same place', () => {
    const mounts = toOciMounts({ mounts: [{ source: '/host', destination: '/sys' }], privileged: false });
    expect(at(mounts, '/sys').map(({ source }) => source)).toEqual(['/host']);
  });

  test('a mount at /dev replaces all of ours below it', () => {
    const mounts = toOciMounts({ mounts: [{ source: '/dev', destination: '/dev' }], privileged: true });
    expect(mounts.map(({ destination }) => destination)).toEqual(['/proc', '/sys', '/dev', '/sys/fs/cgroup']);
  });

  test('no mount hides one below it', () => {
    const deepFirst = [
      { source: '/b', destination: '/data/sub' },
      { source: '/a', destination: '/data' },
    ];
    const places = toOciMounts({ mounts: deepFirst, privileged: false }).map(
      ({ destination }) => destination,
    );
    expect(places.indexOf('/data')).toBeLessThan(places.indexOf('/data/sub'));
  });
});

test('toRootfsPropagation() is the strongest that a mount asks for', () => {
  const mount = (propagation: 'private' | 'host_to_container' | 'bidirectional') => ({
    source: '/a',
    destination: '/b',
    propagation,
  });
  expect(toRootfsPropagation([mount('private')])).toBeUndefined();
  expect(toRootfsPropagation([mount('private'), mount('host_to_container')])).toBe('rslave');
  expect(toRootfsPropagation([mount('bidirectional'), mount('host_to_container')])).toBe('rshared');
});
