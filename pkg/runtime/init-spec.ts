// The first process of a pod whose containers share a PID namespace: it adopts orphans, and does nothing else.

import type { OciSpec } from './oci-spec.ts';
import { defaultProfile } from './seccomp/default-profile.ts';
import type { SelinuxLabels } from './selinux/context.ts';
import {
  buildContainerSpec,
  DEFAULT_MASKED_PATHS,
  DEFAULT_READONLY_PATHS,
  type NamespacesInput,
} from './spec.ts';

export interface InitSpecInput {
  /** Of the sandbox. */
  readonly id: string;
  /** The program on the host: catatonit, or another static init that takes `-P`. */
  readonly initPath: string;
  /** An empty directory: containers of the pod can see it at /proc/1/root. */
  readonly rootfs: string;
  /** Paths of the pod's pinned namespaces, or 'host'. */
  readonly namespaces: Omit<NamespacesInput, 'pid'>;
  readonly cgroupVersion: 1 | 2;
  readonly cgroupsPath: string;
  readonly oomScoreAdj?: number | undefined;
  readonly selinux?: SelinuxLabels | undefined;
}

/** Nobody's: no file belongs to it, in any image. */
const INIT_ID = 65535;
const INIT_PATH = '/init';

/** A process without any capability, that waits (`-P`) until it is killed. */
export function buildInitSpec(input: InitSpecInput): OciSpec {
  const id = Math.min(INIT_ID, (input.namespaces.users?.mapping.length ?? Infinity) - 1);
  const mounts = [{ source: input.initPath, destination: INIT_PATH, readonly: true }];
  return buildContainerSpec({
    ...input,
    args: [INIT_PATH, '-P'],
    env: [],
    cwd: '/',
    user: { uid: id, gid: id, additionalGids: [id] },
    tty: false,
    readonlyRootfs: true,
    hostname: '',
    mounts,
    devices: [],
    resources: { cpuShares: 2n },
    swapAccounting: false,
    capabilities: { add: [], drop: ['ALL'], ambient: [] },
    availableCapabilities: new Set(),
    privileged: false,
    allDevicesAllowed: false,
    noNewPrivileges: true,
    seccomp: defaultProfile([]),
    maskedPaths: DEFAULT_MASKED_PATHS,
    readonlyPaths: DEFAULT_READONLY_PATHS,
    namespaces: { ...input.namespaces, pid: 'new' },
    sysctls: {},
    annotations: {},
  });
}
