import { expect, test } from 'vitest';
import { cgroupsPath } from './cgroup-path.ts';

test.for([
  { driver: 'cgroupfs', parent: '/davit', spec: '/davit/4f1c', fs: '/davit/4f1c' },
  { driver: 'cgroupfs', parent: '/kubepods/pod1/', spec: '/kubepods/pod1/4f1c', fs: '/kubepods/pod1/4f1c' },
  { driver: 'cgroupfs', parent: '/', spec: '/4f1c', fs: '/4f1c' },
  {
    driver: 'systemd',
    parent: 'kubepods-burstable-pod1_2.slice',
    spec: 'kubepods-burstable-pod1_2.slice:cri-davit:4f1c',
    fs: '/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-davit-4f1c.scope',
  },
  {
    driver: 'systemd',
    parent: '/kubepods.slice/kubepods-pod1.slice',
    spec: 'kubepods-pod1.slice:cri-davit:4f1c',
    fs: '/kubepods.slice/kubepods-pod1.slice/cri-davit-4f1c.scope',
  },
  { driver: 'systemd', parent: '-.slice', spec: '-.slice:cri-davit:4f1c', fs: '/cri-davit-4f1c.scope' },
] as const)('$driver below $parent is $fs', ({ driver, parent, spec, fs }) => {
  expect(cgroupsPath(driver, parent, '4f1c')).toEqual({ spec, fs });
});

test.for([
  ['cgroupfs', '/kubepods/../..'],
  ['systemd', '/kubepods'],
  ['systemd', 'a--b.slice'],
  ['systemd', ''],
] as const)('%s refuses the parent "%s"', ([driver, parent]) => {
  expect(() => cgroupsPath(driver, parent, '4f1c')).toThrow(
    expect.objectContaining({ code: 'invalid_argument' }),
  );
});
