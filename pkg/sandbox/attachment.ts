// What the network's plugins are told of a pod.

import { join } from 'node:path';
import type { Call } from '../base/call.ts';
import { parseBandwidth } from '../network/bandwidth.ts';
import type { NetworkConfigList } from '../network/network-config.ts';
import { parsePodCidr, type PodAttachment } from '../network/pod-attachment.ts';
import type { NetworkResult } from '../network/result.ts';
import { sandboxPaths } from './paths.ts';
import type { Sandbox } from './sandbox.ts';

/**
 * The same for ADD, CHECK and DEL: it is made from the record alone.
 *
 * @throws {Fault} invalid_argument — the annotations for bandwidth make no sense
 */
export function toAttachment(runDir: string, { id, config, cgroupPath, podCidr }: Sandbox): PodAttachment {
  const { metadata, annotations, portMappings, dns } = config;
  const { name, namespace, uid } = metadata;
  return {
    id,
    netnsPath: join(sandboxPaths(runDir, id).namespaces, 'net'),
    name,
    namespace,
    uid,
    annotations,
    portMappings,
    bandwidth: parseBandwidth(annotations),
    dns,
    cgroupPath,
    ipRanges: parsePodCidr(podCidr),
  };
}

export interface NetworkChecker {
  check(call: Call, list: NetworkConfigList, pod: PodAttachment, previous: NetworkResult): Promise<void>;
}

/** Asks the plugins whether the pod's network is as they left it. @throws {Fault} it is not, and why */
export async function checkNetwork(
  { runDir, networks }: { readonly runDir: string; readonly networks: NetworkChecker },
  call: Call,
  sandbox: Sandbox,
): Promise<void> {
  const { networkConfig, network } = sandbox;
  if (networkConfig === undefined || network === undefined) return;
  await networks.check(call, networkConfig, toAttachment(runDir, sandbox), network);
}
