// The PodSandboxStats message of any number of pods, from one sample.

import type { PodSandboxStatsInit } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { Container } from '../../container/container.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { sumUsages } from '../../stats/sum.ts';
import type { GroupUsage, NetworkUsage } from '../../stats/usage.ts';
import { sampleContainers } from './container-usage.ts';
import type { StatsDeps } from './deps.ts';
import { bySandbox, listUsingContainers, podGroupOf } from './subjects.ts';
import { toCpu, toIo, toMemory, toNetwork, toProcesses } from './usage.ts';

interface PodParts {
  readonly containers: readonly Container[];
  /** Whose sum the pod uses: its own group, or where it has none those of its parts. */
  readonly groups: readonly string[];
}

/**
 * Samples these pods.
 *
 * @returns the message of each of them
 */
export async function samplePodUsages(
  deps: StatsDeps,
  call: Call,
  sandboxes: readonly Sandbox[],
): Promise<(sandbox: Sandbox) => PodSandboxStatsInit> {
  const containersOf = bySandbox(listUsingContainers(deps));
  const partsOf = (sandbox: Sandbox) => toParts(sandbox, containersOf.get(sandbox.id) ?? []);
  const parts = sandboxes.map(partsOf);
  const [groups, networks, toContainerStats] = await Promise.all([
    deps.stats.groups(call, [...new Set(parts.flatMap((part) => part.groups))]),
    deps.stats.networks(
      call,
      sandboxes.filter(hasNetwork).map(({ id }) => id),
    ),
    sampleContainers(
      deps,
      call,
      parts.flatMap((part) => part.containers),
    ),
  ]);
  return (sandbox) => {
    const pod = partsOf(sandbox);
    const found = pod.groups.map((path) => groups.get(path)).filter((usage) => usage !== undefined);
    return {
      attributes: toAttributes(sandbox),
      linux: {
        ...toGroup(found.length > 1 ? sumUsages(found) : found[0]),
        ...toPodNetwork(networks.get(sandbox.id)),
        containers: pod.containers.map(toContainerStats),
      },
    };
  };
}

function toParts(sandbox: Sandbox, containers: readonly Container[]): PodParts {
  const own = podGroupOf(sandbox);
  const all = [sandbox.cgroupPath, ...containers.map(({ cgroupPath }) => cgroupPath)];
  return { containers, groups: own === undefined ? all : [own] };
}

/** The node's network is not the pod's: its numbers would count once for each such pod. */
export function hasNetwork({ config }: Sandbox): boolean {
  return config.network === 'pod';
}

function toAttributes({ id, config }: Sandbox): PodSandboxStatsInit['attributes'] {
  const { metadata, labels, annotations } = config;
  return { id, metadata, labels, annotations };
}

function toGroup(usage: GroupUsage | undefined): PodSandboxStatsInit['linux'] {
  return usage === undefined
    ? {}
    : { cpu: toCpu(usage), memory: toMemory(usage), process: toProcesses(usage), io: toIo(usage) };
}

function toPodNetwork(usage: NetworkUsage | undefined): PodSandboxStatsInit['linux'] {
  return usage === undefined ? {} : { network: toNetwork(usage) };
}
