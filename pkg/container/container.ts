// What a container is, once it has been asked for: all that is kept about it. Its environment and command
// are not, because they may hold secrets; they live in the bundle alone, in memory and readable by root.

import type { ContainerId, ImageId, SandboxId } from '../base/id.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import type { IdMapping } from '../sys/user-namespace.ts';
import type { ContainerState } from './phase.ts';

export interface ContainerMetadata {
  readonly name: string;
  /** Counts the containers of this name that the pod has had. */
  readonly attempt: number;
}

export type Propagation = 'private' | 'host_to_container' | 'bidirectional';

/** An image that is mounted. */
export interface MountedImage {
  /** As the kubelet named it, and what that was. */
  readonly name: string;
  readonly userSpecified: string;
  readonly id: ImageId;
  /** What of it is mounted, relative to its root; '' for all of it. */
  readonly subPath: string;
}

/** A mount as the kubelet asked for it. */
export interface ContainerMount {
  readonly containerPath: string;
  /** '' for an image. */
  readonly hostPath: string;
  /** Mounted instead of something of the host. */
  readonly image?: MountedImage | undefined;
  readonly readonly: boolean;
  readonly recursiveReadOnly: boolean;
  readonly propagation: Propagation;
  readonly selinuxRelabel: boolean;
  /** More restrictions: `noexec`, `nosuid`. */
  readonly options?: readonly string[] | undefined;
  /** How its ids are shown; that of the pod. */
  readonly idMapping?: IdMapping | undefined;
}

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  /** Includes `gid`, as the kernel has it. */
  readonly supplementalGroups: readonly number[];
}

export interface Container {
  readonly id: ContainerId;
  readonly sandboxId: SandboxId;
  readonly metadata: ContainerMetadata;
  /** The image as the kubelet named it, and what that was. */
  readonly image: { readonly name: string; readonly userSpecified: string; readonly id: ImageId };
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly mounts: readonly ContainerMount[];
  /** Absolute path of the log, or '' for none. */
  readonly logPath: string;
  readonly tty: boolean;
  /** Whether its standard input ends with the first client that has attached. */
  readonly stdinOnce: boolean;
  /** What the kernel has made of what was last asked for, in CRI's terms: see `actualResources()`. */
  readonly resources?: ResourcesInput | undefined;
  readonly user?: ContainerUser | undefined;
  /** `SIGTERM`, or what the pod or the image ask for. */
  readonly stopSignal: string;
  /** Name of the runtime handler. */
  readonly handler: string;
  /** Whether it has a pid namespace of its own, so that its init's death ends all its processes. */
  readonly ownPidNamespace: boolean;
  /** Under the root of every cgroup hierarchy. */
  readonly cgroupPath: string;
  readonly createdAtNs: bigint;
  readonly state: ContainerState;
}
