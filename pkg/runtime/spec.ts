// Builds what an OCI runtime reads, from a neutral description of a container. Pure: all that must be looked
// up on the node (users, devices, capabilities) is in the input.

import { Fault } from '../base/fault.ts';
import { allCapabilities, toOciCapabilities, type CapabilitiesInput } from './capabilities.ts';
import { allDeviceRules, toDeviceRules, toOciDevice, type DeviceInput } from './devices.ts';
import { toOciMounts, toRootfsPropagation, type MountInput } from './mounts.ts';
import { OCI_VERSION, type OciLinux, type OciNamespace, type OciProcess, type OciSpec } from './oci-spec.ts';
import { toOciResources, type ResourcesInput } from './resources.ts';
import type { ResourceClasses } from './resource-classes.ts';
import type { SeccompProfile } from './seccomp/profile.ts';
import type { SelinuxLabels } from './selinux/context.ts';
import type { PinnedUsers } from '../sys/user-namespace.ts';
import type { ResolvedUser } from './user.ts';

/** Where a process may be: in one of its own, in that of the host, or in the one pinned at a path. */
export type NamespaceChoice = string;

export interface NamespacesInput {
  readonly net: NamespaceChoice;
  readonly ipc: NamespaceChoice;
  readonly uts: NamespaceChoice;
  readonly pid: NamespaceChoice;
  /** Absent for the users of the node. */
  readonly users?: PinnedUsers | undefined;
}

export interface EnvVariable {
  readonly name: string;
  /**
   * Bytes are read as UTF-8. OCI runtimes read JSON, which has no other bytes: what is not UTF-8 becomes
   * U+FFFD, as with the other container managers.
   */
  readonly value: string | Uint8Array;
}

export interface ContainerSpecInput {
  readonly id: string;
  readonly args: readonly string[];
  /** A later variable replaces an earlier one of the same name: the image's first, then the pod's. */
  readonly env: readonly EnvVariable[];
  /** '' for the root directory. */
  readonly cwd: string;
  readonly user: ResolvedUser;
  readonly tty: boolean;
  /** Path of the mounted root file system. */
  readonly rootfs: string;
  readonly readonlyRootfs: boolean;
  /** For $HOSTNAME, and for the container itself if its UTS namespace is new. */
  readonly hostname: string;
  readonly mounts: readonly MountInput[];
  readonly sharedMemory?: string | undefined;
  readonly devices: readonly DeviceInput[];
  readonly resources: ResourcesInput;
  readonly classes?: ResourceClasses | undefined;
  /** Whether the kernel limits swap per cgroup. */
  readonly swapAccounting: boolean;
  /** Whether it limits huge pages; yes when absent. */
  readonly hugepageAccounting?: boolean | undefined;
  readonly capabilities: CapabilitiesInput;
  /** What the daemon has: nothing else can be given. */
  readonly availableCapabilities: ReadonlySet<string>;
  /** All capabilities and devices that there are, nothing masked, /sys and cgroups writable. */
  readonly privileged: boolean;
  /** Whether the device cgroup keeps it from nothing: privileged containers, but for those of some handlers. */
  readonly allDevicesAllowed: boolean;
  readonly noNewPrivileges: boolean;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  /** Within what is allowed: see `clampOomScoreAdj()`. */
  readonly oomScoreAdj?: number | undefined;
  readonly namespaces: NamespacesInput;
  readonly cgroupVersion: 1 | 2;
  /** Whether the container may divide its own cgroup; only with version 2, where it sees no other. */
  readonly cgroupWritable?: boolean | undefined;
  /** `cgroupsPath().spec` */
  readonly cgroupsPath: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Name of a profile in the kernel. */
  readonly apparmorProfile?: string | undefined;
  /** Absent where SELinux is off: a runtime refuses labels then. */
  readonly selinux?: SelinuxLabels | undefined;
  /** A privileged container runs without. */
  readonly seccomp?: SeccompProfile | undefined;
}

/** What of /proc and /sys a container must not see. A kubelet asks for these by name. */
export const DEFAULT_MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];

/** What of /proc a container may only read. */
export const DEFAULT_READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];

/**
 * With systemd and cgroup version 2 crun would put the container into a cgroup of its own, `container`, below its
 * scope: not where everybody looks for it. Other runtimes do not know this. Source: crun(1), "EXTENSIONS TO OCI".
 */
const ONE_CGROUP = { 'run.oci.systemd.subgroup': '' };

/** @throws {Fault} invalid_argument — no command, a bad variable name, a zero byte, an unknown capability */
export function buildContainerSpec(input: ContainerSpecInput): OciSpec {
  const { rootfs, readonlyRootfs, hostname, namespaces, annotations } = input;
  return {
    ociVersion: OCI_VERSION,
    process: toProcess(input),
    root: { path: rootfs, readonly: readonlyRootfs },
    ...(namespaces.uts === 'new' && hostname !== '' ? { hostname } : {}),
    mounts: toOciMounts({
      ...input,
      hostSysfs: cannotMountSysfs(namespaces),
      cgroupWritable: input.cgroupWritable === true && input.cgroupVersion === 2,
    }),
    annotations: { ...ONE_CGROUP, ...annotations },
    linux: { ...toLinux(input), ...(input.selinux && { mountLabel: input.selinux.mount }) },
  };
}

/** The kernel lets a user namespace mount /sys only with a network that belongs to it. */
function cannotMountSysfs({ net, users }: NamespacesInput): boolean {
  return users !== undefined && net === 'host';
}

function toProcess(input: ContainerSpecInput): OciProcess {
  const { args, cwd, user, tty, oomScoreAdj, apparmorProfile, selinux } = input;
  if (args.length === 0 || args[0] === '') {
    throw new Fault('invalid_argument', `container "${input.id}" has no command`);
  }
  refuseZeroBytes([...args, cwd]);
  return {
    terminal: tty,
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args,
    env: toEnv(input),
    cwd: cwd === '' ? '/' : cwd,
    capabilities: input.privileged
      ? allCapabilities(input.availableCapabilities)
      : toOciCapabilities(input.capabilities, input.availableCapabilities),
    noNewPrivileges: input.noNewPrivileges,
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
    ...(selinux?.process === undefined ? {} : { selinuxLabel: selinux.process }),
  };
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function toEnv({ env, tty, hostname }: ContainerSpecInput): string[] {
  const variables = new Map([
    ['PATH', DEFAULT_PATH],
    ...(tty ? [['TERM', 'xterm'] as const] : []),
    ...(hostname === '' ? [] : [['HOSTNAME', hostname] as const]),
  ]);
  for (const { name, value } of env) {
    if (name === '' || name.includes('=')) {
      throw new Fault('invalid_argument', `"${name}" cannot be the name of an environment variable`);
    }
    variables.set(name, typeof value === 'string' ? value : Buffer.from(value).toString('utf8'));
  }
  const list = [...variables].map(([name, value]) => `${name}=${value}`);
  if (list.some((text) => text.includes('\0'))) {
    throw new Fault('invalid_argument', 'an environment variable contains a zero byte'); // values stay secret
  }
  return list;
}

function refuseZeroBytes(texts: readonly string[]): void {
  const bad = texts.find((text) => text.includes('\0'));
  if (bad === undefined) return;
  throw new Fault('invalid_argument', `${JSON.stringify(bad)} contains a zero byte`);
}

function toLinux(input: ContainerSpecInput): OciLinux {
  const { devices, allDevicesAllowed, privileged, mounts, resources, seccomp, classes = {} } = input;
  const rootfsPropagation = toRootfsPropagation(mounts);
  return {
    namespaces: toNamespaces(input),
    ...toIdMappings(input.namespaces),
    cgroupsPath: input.cgroupsPath,
    resources: {
      devices: allDevicesAllowed ? allDeviceRules() : toDeviceRules(devices),
      ...toOciResources(resources, input),
      ...(classes.blockIo && { blockIO: classes.blockIo }),
    },
    ...(classes.rdtClass && { intelRdt: { closID: classes.rdtClass } }),
    devices: devices.map(toOciDevice),
    maskedPaths: privileged ? [] : input.maskedPaths,
    readonlyPaths: privileged ? [] : input.readonlyPaths,
    sysctl: input.sysctls,
    ...(rootfsPropagation === undefined ? {} : { rootfsPropagation }),
    ...(seccomp === undefined || privileged ? {} : { seccomp }),
  };
}

/** Runtimes want to be told what a namespace maps, though it can be read from it. */
function toIdMappings({ users }: NamespacesInput): Pick<OciLinux, 'uidMappings' | 'gidMappings'> {
  if (users === undefined) return {};
  const { hostId, length } = users.mapping;
  const mappings = [{ containerID: 0, hostID: hostId, size: length }];
  return { uidMappings: mappings, gidMappings: mappings };
}

/**
 * On cgroup version 2 a container sees its own cgroup as the root, unless it is privileged: that one is to see the
 * node's, if it has the users of the node.
 */
function toNamespaces({ namespaces, cgroupVersion, privileged }: ContainerSpecInput): OciNamespace[] {
  const hasOwnCgroups = cgroupVersion === 2 && (!privileged || namespaces.users !== undefined);
  const choices: [OciNamespace['type'], NamespaceChoice][] = [
    ['mount', 'new'],
    ['network', namespaces.net],
    ['ipc', namespaces.ipc],
    ['uts', namespaces.uts],
    ['pid', namespaces.pid],
    ['user', namespaces.users?.path ?? 'host'],
    ['cgroup', hasOwnCgroups ? 'new' : 'host'],
  ];
  return choices
    .filter(([, choice]) => choice !== 'host')
    .map(([type, choice]) => (choice === 'new' ? { type } : { type, path: choice }));
}
