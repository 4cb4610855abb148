// The types of `config.json` as far as we write it. Names are those of the OCI runtime specification
// (config.md, config-linux.md), which says what each field means.

import type { SeccompProfile } from './seccomp/profile.ts';

/**
 * The lowest version that carries all we write: older runtimes refuse newer ones. Options such as `rro` are
 * younger, but a runtime either knows a mount option or refuses it.
 */
export const OCI_VERSION = '1.0.2';

export interface OciSpec {
  readonly ociVersion: string;
  readonly process: OciProcess;
  readonly root: { readonly path: string; readonly readonly: boolean };
  readonly hostname?: string;
  readonly mounts: readonly OciMount[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: OciLinux;
  readonly hooks?: OciHooks;
}

/** By stage. */
export type OciHooks = Partial<
  Record<
    'prestart' | 'createRuntime' | 'createContainer' | 'startContainer' | 'poststart' | 'poststop',
    readonly OciHook[]
  >
>;

export interface OciHook {
  readonly path: string;
  /** From argv[0] on. */
  readonly args?: readonly string[] | undefined;
  /** `NAME=value` */
  readonly env?: readonly string[] | undefined;
  /** In seconds. */
  readonly timeout?: number | undefined;
}

export interface OciProcess {
  readonly terminal: boolean;
  readonly user: OciUser;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities: OciCapabilities;
  readonly noNewPrivileges: boolean;
  readonly oomScoreAdj?: number;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
}

export interface OciUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

export interface OciCapabilities {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable: readonly string[];
  readonly ambient: readonly string[];
}

export interface OciMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface OciLinux {
  readonly namespaces: readonly OciNamespace[];
  readonly uidMappings?: readonly OciIdMapping[];
  readonly gidMappings?: readonly OciIdMapping[];
  readonly cgroupsPath: string;
  readonly resources: OciResources;
  readonly devices: readonly OciDevice[];
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly sysctl: Readonly<Record<string, string>>;
  readonly rootfsPropagation?: string;
  readonly seccomp?: SeccompProfile;
  /** SELinux label of what the runtime mounts. */
  readonly mountLabel?: string;
  readonly intelRdt?: OciIntelRdt;
  /** By their names on the node, what they are called in the container. */
  readonly netDevices?: Readonly<Record<string, { readonly name: string }>>;
}

export interface OciIntelRdt {
  readonly closID?: string | undefined;
  readonly l3CacheSchema?: string | undefined;
  readonly memBwSchema?: string | undefined;
  readonly schemata?: readonly string[] | undefined;
  readonly enableMonitoring?: boolean | undefined;
}

export interface OciNamespace {
  readonly type: 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'cgroup' | 'user';
  /** Absent for a new one. */
  readonly path?: string;
}

export interface OciIdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface OciDevice {
  readonly path: string;
  readonly type: 'c' | 'b' | 'p';
  readonly major: number;
  readonly minor: number;
  /** The runtime's default, when absent. */
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface OciDeviceRule {
  readonly allow: boolean;
  readonly type?: 'a' | 'c' | 'b';
  readonly major?: number;
  readonly minor?: number;
  /** Some of `rwm`. */
  readonly access: string;
}

export interface OciMemory {
  readonly limit?: bigint;
  readonly swap?: bigint;
}

export interface OciThrottle {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface OciBlockIo {
  readonly weight?: number;
  readonly throttleReadBpsDevice: readonly OciThrottle[];
  readonly throttleWriteBpsDevice: readonly OciThrottle[];
  readonly throttleReadIOPSDevice: readonly OciThrottle[];
  readonly throttleWriteIOPSDevice: readonly OciThrottle[];
}

export interface OciResources {
  readonly blockIO?: OciBlockIo;
  readonly devices?: readonly OciDeviceRule[];
  readonly cpu: {
    readonly shares?: bigint;
    readonly quota?: bigint;
    readonly period?: bigint;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly memory: OciMemory;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limit: bigint }[];
  readonly pids?: { readonly limit: bigint };
  readonly unified?: Readonly<Record<string, string>>;
}
