// What a pod sandbox is: the part of the node that the containers of one pod share.

import type { SandboxId } from '../base/id.ts';
import type { NetworkConfigList } from '../network/network-config.ts';
import type { PodAttachment } from '../network/pod-attachment.ts';
import type { NetworkResult } from '../network/result.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import type { ConfinedLabels, SelinuxOptions } from '../runtime/selinux/context.ts';
import type { IdMapping } from '../sys/user-namespace.ts';
import type { SandboxState } from './phase.ts';

/** Names of one sandbox; together they are unique on a node. */
export interface SandboxMetadata {
  readonly name: string;
  readonly uid: string;
  readonly namespace: string;
  /** Counts the sandboxes that this pod has had. */
  readonly attempt: number;
}

/** Whose namespace the pod's processes live in. */
export type NetworkMode = 'pod' | 'node';
export type IpcMode = 'pod' | 'node';
/** `container`: each container has one of its own, unless it asks for something else. */
export type PidMode = 'pod' | 'container' | 'node';

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** What the kubelet asks for: CRI's PodSandboxConfig in our words. */
export interface SandboxConfig {
  readonly metadata: SandboxMetadata;
  readonly hostname: string;
  /** Absolute path, or '' if the containers write no logs. */
  readonly logDirectory: string;
  readonly dns?: DnsConfig | undefined;
  readonly portMappings: PodAttachment['portMappings'];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** As the kubelet names it: a path, or with the systemd driver a slice; '' for ours. */
  readonly cgroupParent: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly network: NetworkMode;
  readonly ipc: IpcMode;
  readonly pid: PidMode;
  /** The users of the pod on the host, if they are not those of the host. */
  readonly userNamespace?: IdMapping | undefined;
  readonly privileged: boolean;
  /** What its labels shall be instead of ours. */
  readonly selinux?: SelinuxOptions | undefined;
  /** Of all containers together, as the kubelet has told: it sets them itself, in the pod's cgroup. */
  readonly resources?: ResourcesInput | undefined;
  /** What the pod uses beside its containers. */
  readonly overhead?: ResourcesInput | undefined;
  /** Name of the runtime handler, as resolved: never ''. */
  readonly handler: string;
}

export interface Sandbox {
  readonly id: SandboxId;
  readonly config: SandboxConfig;
  readonly createdAtNs: bigint;
  /** Under the root of every cgroup hierarchy: `/kubepods/pod7/4f1c…`. */
  readonly cgroupPath: string;
  /** The subnets of the node's pods as the kubelet has told them, `10.1.0.0/24,fd00::/64`; may be ''. */
  readonly podCidr: string;
  /** Absent where SELinux was off; a container may have others, or none, and then its files have these. */
  readonly selinux?: ConfinedLabels | undefined;
  /** The network's configuration as it was when the pod was attached: DEL must be given the same. */
  readonly networkConfig?: NetworkConfigList | undefined;
  /** What the plugins answered; absent until they have. */
  readonly network?: NetworkResult | undefined;
  readonly state: SandboxState;
}

/** In every message, so that a person finds the pod: `default/web`. */
export function podName({ config: { metadata } }: { readonly config: SandboxConfig }): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** Whether both name the same attempt at the same pod. */
export function isSameAttempt(a: SandboxMetadata, b: SandboxMetadata): boolean {
  return a.uid === b.uid && a.name === b.name && a.namespace === b.namespace && a.attempt === b.attempt;
}
