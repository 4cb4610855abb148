// Where the control groups are mounted: one tree in version 2, one per controller in version 1.

import { Fault } from '../base/fault.ts';
import type { MountPoint } from '../sys/mountinfo.ts';

export type CgroupRoots =
  | { readonly version: 2; readonly root: string }
  /** A controller that is not mounted is absent. */
  | { readonly version: 1; readonly roots: Readonly<Partial<Record<V1Controller, string>>> };

const V1_CONTROLLERS = ['cpu', 'cpuacct', 'memory', 'pids', 'blkio', 'hugetlb'] as const;
export type V1Controller = (typeof V1_CONTROLLERS)[number];

/**
 * A node with any hierarchy of version 1 counts as version 1: the unified tree beside it has no processes of
 * containers.
 *
 * @throws {Fault} failed_precondition — no control groups are mounted
 */
export function findCgroupRoots(mounts: readonly MountPoint[]): CgroupRoots {
  const v1 = mounts.filter(({ fsType }) => fsType === 'cgroup');
  if (v1.length > 0) {
    const roots = V1_CONTROLLERS.flatMap((controller) => {
      const mount = v1.find(({ superOptions }) => superOptions.includes(controller));
      return mount === undefined ? [] : [[controller, mount.target] as const];
    });
    return { version: 1, roots: Object.fromEntries(roots) };
  }
  const v2 = mounts.find(({ fsType }) => fsType === 'cgroup2');
  if (v2 === undefined) throw new Fault('failed_precondition', 'no control groups are mounted');
  return { version: 2, root: v2.target };
}
