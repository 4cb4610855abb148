// The PodSandboxStats message of any number of pods, from one sample.

import type { PodSandboxStatsInit } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { Container } from '../../container/container.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { sumUsages } from '../../stats/sum.ts';
import type { GroupUsage, NetworkUsage } from '../../stats/usage.ts';
import { containerUsages } from './container-usage.ts';
import type { StatsDeps } from './deps.ts';
import { bySandbox, listUsingContainers, podGroupOf } from './subjects.ts';
import { toCpu, toIo, toMemory, toNetwork, toProcesses } from './usage.ts';

interface Pod {
  readonly sandbox: Sandbox;
  readonly containers: readonly Container[];
  /** Whose sum the pod uses: its own group, or where it has none those of its parts. */
  readonly groups: readonly string[];
}

/** In the order of `sandboxes`. */
export async function podUsages(
  deps: StatsDeps,
  call: Call,
  sandboxes: readonly Sandbox[],
): Promise<PodSandboxStatsInit[]> {
  const containersOf = bySandbox(listUsingContainers(deps));
  const pods = sandboxes.map((sandbox) => toPod(sandbox, containersOf.get(sandbox.id) ?? []));
  const containers = pods.flatMap((pod) => pod.containers);
  const [groups, networks, usages] = await Promise.all([
    deps.stats.groups(call, [...new Set(pods.flatMap((pod) => pod.groups))]),
    deps.stats.networks(
      call,
      sandboxes.filter(hasNetwork).map(({ id }) => id),
    ),
    containerUsages(deps, call, containers),
  ]);
  const usageOf = new Map(containers.map(({ id }, index) => [id, usages[index] ?? {}]));
  return pods.map((pod) => {
    const found = pod.groups.map((path) => groups.get(path)).filter((usage) => usage !== undefined);
    return {
      attributes: toAttributes(pod.sandbox),
      linux: {
        ...toGroup(found.length > 1 ? sumUsages(found) : found[0]),
        ...toPodNetwork(networks.get(pod.sandbox.id)),
        containers: pod.containers.map(({ id }) => usageOf.get(id) ?? {}),
      },
    };
  });
}

function toPod(sandbox: Sandbox, containers: readonly Container[]): Pod {
  const own = podGroupOf(sandbox);
  const parts = [sandbox.cgroupPath, ...containers.map(({ cgroupPath }) => cgroupPath)];
  return { sandbox, containers, groups: own === undefined ? parts : [own] };
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
