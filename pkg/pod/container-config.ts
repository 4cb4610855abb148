// What the kubelet asks a container to be: CRI's ContainerConfig in our words. It is turned into a record
// and a bundle and then forgotten, because its command and environment may hold secrets.

import type { ContainerMetadata, ContainerMount, MountedImage } from '../container/container.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import type { SelinuxOptions } from '../runtime/selinux/context.ts';
import type { ProfileChoice } from '../runtime/security-profile.ts';
import type { IdMapping } from '../sys/user-namespace.ts';

export interface EnvironmentVariable {
  readonly name: string;
  readonly value: Buffer;
}

export interface DeviceConfig {
  readonly hostPath: string;
  readonly containerPath: string;
  /** Some of `rwm`. */
  readonly permissions: string;
}

/** A mount of which it is not known yet which image a name means. */
export interface MountConfig extends Omit<ContainerMount, 'image'> {
  readonly image?: Omit<MountedImage, 'id'> | undefined;
}

/** Whose pid namespace: the pod's, one of its own, the node's, or that of another container of the pod. */
export type ContainerPidMode =
  { readonly kind: 'pod' | 'container' | 'node' } | { readonly kind: 'target'; readonly containerId: string };

export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly addAmbientCapabilities: readonly string[];
  readonly pid: ContainerPidMode;
  /** The same as the pod's. */
  readonly userNamespace?: IdMapping | undefined;
  readonly runAsUser?: number | undefined;
  readonly runAsUsername: string;
  readonly runAsGroup?: number | undefined;
  readonly supplementalGroups: readonly number[];
  /** `strict`: only these groups, not those of the image's /etc/group. */
  readonly supplementalGroupsPolicy: 'merge' | 'strict';
  readonly readonlyRootfs: boolean;
  readonly noNewPrivileges: boolean;
  readonly seccomp: ProfileChoice;
  readonly apparmor: ProfileChoice;
  /** Instead of what the pod asks for, or we give. */
  readonly selinux?: SelinuxOptions | undefined;
  readonly maskedPaths: readonly string[];
  readonly readonlyPaths: readonly string[];
}

export interface ContainerConfig {
  readonly metadata: ContainerMetadata;
  /** An image's id, tag or digest; it has been pulled before. */
  readonly image: string;
  readonly userSpecifiedImage: string;
  /** Replaces the image's entrypoint; `args` its command. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly EnvironmentVariable[];
  readonly mounts: readonly MountConfig[];
  readonly devices: readonly DeviceConfig[];
  /** `vendor.com/class=name`, as they were asked for. */
  readonly cdiDevices: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Relative to the pod's log directory; '' for no log. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  /** `SIGUSR1`; absent for the image's. */
  readonly stopSignal?: string | undefined;
  readonly resources?: ResourcesInput | undefined;
  readonly oomScoreAdj: number;
  readonly security: ContainerSecurity;
}
