// Who makes the cgroups of nodes of the tests, and what they are called then: `DAVIT_E2E_CGROUP_DRIVER` says it.

import { cgroupsPath, type CgroupDriver } from '../../../pkg/runtime/cgroup-path.ts';

export const CGROUP_DRIVER: CgroupDriver = toDriver(process.env['DAVIT_E2E_CGROUP_DRIVER'] ?? 'cgroupfs');

function toDriver(name: string): CgroupDriver {
  if (name === 'cgroupfs' || name === 'systemd') return name;
  throw new Error(`DAVIT_E2E_CGROUP_DRIVER "${name}" is neither cgroupfs nor systemd`);
}

/** All of a node are below it. In the name of a slice each dash would be one level more. */
export function nodeCgroup(nodeName: string): string {
  return CGROUP_DRIVER === 'systemd' ? `/${nodeName.replaceAll('-', '_')}.slice` : `/${nodeName}`;
}

/** As the kubelet names that of a pod to us: with systemd `/a.slice/a-pod1_2.slice`. */
export function podCgroup(parent: string, uid: string): string {
  if (CGROUP_DRIVER === 'cgroupfs') return `${parent}/pod${uid}`;
  return `${parent}${parent.replace(/\.slice$/, '')}-pod${uid.replaceAll('-', '_')}.slice`;
}

export function isPodCgroup(path: string): boolean {
  return /(\/pod[-0-9a-f]{36}|-pod[_0-9a-f]{36}\.slice)$/.test(path);
}

/** That of a container of the pod, or of the pod's sandbox. */
export function cgroupOf(podPath: string, id: string): string {
  return cgroupsPath(CGROUP_DRIVER, podPath, id).fs;
}
