// How the cgroup of a container is called: by us, and by an OCI runtime.

import { Fault } from '../base/fault.ts';

export type CgroupDriver = 'cgroupfs' | 'systemd';

export interface CgroupPath {
  /** `linux.cgroupsPath` of the OCI runtime specification. */
  readonly spec: string;
  /** Under the root of every hierarchy, beginning with a slash. */
  readonly fs: string;
}

/** Between a slice and an id in the name of a scope. */
const SCOPE_PREFIX = 'cri-davit';

/**
 * With cgroupfs `/kubepods/pod1` gives `/kubepods/pod1/<id>` for both. With systemd the parent is a slice,
 * `kubepods-pod1.slice`, alone or as the last name of a path, and the container a scope in it:
 * `kubepods-pod1.slice:cri-davit:<id>`, which is `/kubepods.slice/kubepods-pod1.slice/cri-davit-<id>.scope`.
 *
 * @throws {Fault} invalid_argument — the parent is not one that the driver knows
 */
export function cgroupsPath(driver: CgroupDriver, parent: string, id: string): CgroupPath {
  switch (driver) {
    case 'cgroupfs': {
      const names = parent.split('/').filter(Boolean);
      if (names.includes('.') || names.includes('..'))
        throw badParent(parent, 'must not contain "." or ".."');
      const path = `/${[...names, id].join('/')}`;
      return { spec: path, fs: path };
    }
    case 'systemd': {
      const slice = parent.split('/').filter(Boolean).at(-1) ?? '';
      const path = [...slicesAbove(slice, parent), `${SCOPE_PREFIX}-${id}.scope`].join('/');
      return { spec: `${slice}:${SCOPE_PREFIX}:${id}`, fs: `/${path}` };
    }
  }
}

/** `a-b.slice` is inside `a.slice`; `-.slice` is the root. Source: systemd.slice(5). */
function slicesAbove(slice: string, parent: string): string[] {
  if (slice === '-.slice') return [];
  const name = /^([\w.:@\\]+(?:-[\w.:@\\]+)*)\.slice$/.exec(slice)?.[1];
  if (name === undefined) throw badParent(parent, 'must be a systemd slice');
  const parts = name.split('-');
  return parts.map((_, index) => `${parts.slice(0, index + 1).join('-')}.slice`);
}

function badParent(parent: string, why: string): Fault {
  return new Fault('invalid_argument', `cgroup parent "${parent}" ${why}`, { detail: { parent } });
}
