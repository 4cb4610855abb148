// The ContainerStats message of any number of containers, from one sample.

import type { ContainerStatsInit } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { Container } from '../../container/container.ts';
import type { GroupUsage } from '../../stats/usage.ts';
import type { StatsDeps } from './deps.ts';
import { toCpu, toIo, toLayer, toMemory, toSwap } from './usage.ts';

/**
 * Samples these containers.
 *
 * @returns the message of each of them; of one that has just ended, what is gone is absent
 */
export async function sampleContainers(
  { stats }: Pick<StatsDeps, 'stats'>,
  call: Call,
  containers: readonly Container[],
): Promise<(container: Container) => ContainerStatsInit> {
  const [groups, layers] = await Promise.all([
    stats.groups(
      call,
      containers.map(({ cgroupPath }) => cgroupPath),
    ),
    stats.layers(
      call,
      containers.map(({ id }) => id),
    ),
  ]);
  return (container) => ({
    attributes: toAttributes(container),
    ...toUsage(groups.get(container.cgroupPath)),
    writableLayer: toLayer(stats.layersRoot, layers.get(container.id)),
  });
}

function toAttributes({ id, metadata, labels, annotations }: Container): ContainerStatsInit['attributes'] {
  return { id, metadata, labels, annotations };
}

function toUsage(usage: GroupUsage | undefined): ContainerStatsInit {
  return usage === undefined
    ? {}
    : { cpu: toCpu(usage), memory: toMemory(usage), swap: toSwap(usage), io: toIo(usage) };
}
