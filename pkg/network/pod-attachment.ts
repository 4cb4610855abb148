// What the network must know about a pod. It is the same for ADD, CHECK and DEL, as the CNI specification
// demands, so the sandbox's record must be able to give it again.

import type { SandboxId } from '../base/id.ts';
import type { Bandwidth } from './bandwidth.ts';

export interface PortMapping {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly containerPort: number;
  /** 0 when the port is not to be had on the host. */
  readonly hostPort: number;
  /** Empty for every address of the host. */
  readonly hostIp: string;
}

/** Addresses to choose from, as the `host-local` plugin reads them. */
export interface IpRange {
  /** `10.1.2.0/24` */
  readonly subnet: string;
  readonly rangeStart?: string;
  readonly rangeEnd?: string;
  readonly gateway?: string;
}

export interface PodAttachment {
  readonly id: SandboxId;
  /** Where the network namespace is pinned; absent when it is gone, after a reboot for one. */
  readonly netnsPath?: string | undefined;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly portMappings: readonly PortMapping[];
  readonly bandwidth?: Bandwidth | undefined;
  readonly dns?:
    | {
        readonly servers: readonly string[];
        readonly searches: readonly string[];
        readonly options: readonly string[];
      }
    | undefined;
  readonly cgroupPath?: string | undefined;
  /** One list of ranges per address: two of them for dual stack. */
  readonly ipRanges?: readonly (readonly IpRange[])[] | undefined;
}

/** The one interface that a pod gets; the kubelet and everyone else expect this name. */
export const POD_INTERFACE = 'eth0';

/**
 * The ranges of a node's pod CIDR, as the kubelet passes it in UpdateRuntimeConfig: `10.1.0.0/24,fd00::/64`.
 *
 * @returns one list of ranges per subnet; empty for an empty text
 */
export function parsePodCidr(podCidr: string): IpRange[][] {
  return podCidr
    .split(',')
    .map((subnet) => subnet.trim())
    .filter((subnet) => subnet !== '')
    .map((subnet) => [{ subnet }]);
}
