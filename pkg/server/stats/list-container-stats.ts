// ListContainerStats and StreamContainerStats: the same usages, in one message or in several.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { ContainerStatsFilter, ContainerStatsInit } from '../../../api/cri/generated/types.ts';
import { inBatches } from '../../base/batches.ts';
import type { Call } from '../../base/call.ts';
import type { Container } from '../../container/container.ts';
import { matchesId, matchesLabels, USAGES_PER_PART } from '../convert/filter.ts';
import type { InParts } from '../serve.ts';
import { sampleContainers } from './container-usage.ts';
import type { StatsDeps } from './deps.ts';
import { listUsingContainers } from './subjects.ts';

export function listContainerStats(
  deps: StatsDeps,
): InParts<RuntimeServiceHandlers<Call>['listContainerStats']> {
  return async function* (call, { filter }) {
    for await (const stats of sampleInParts(deps, call, filter)) yield { stats };
  };
}

export function streamContainerStats(deps: StatsDeps): RuntimeServiceHandlers<Call>['streamContainerStats'] {
  return async function* (call, { filter }) {
    for await (const containerStats of sampleInParts(deps, call, filter)) yield { containerStats };
  };
}

/** Of one sample, all of it. */
async function* sampleInParts(
  deps: StatsDeps,
  call: Call,
  filter: ContainerStatsFilter | undefined,
): AsyncGenerator<ContainerStatsInit[]> {
  const containers = list(deps, filter);
  const toStats = await sampleContainers(deps, call, containers);
  for (const part of inBatches(containers, USAGES_PER_PART)) yield part.map(toStats);
}

function list(deps: StatsDeps, filter: ContainerStatsFilter | undefined): Container[] {
  const { id = '', podSandboxId = '', labelSelector = {} } = filter ?? {};
  return listUsingContainers(deps)
    .filter((container) => matchesId(container.id, id))
    .filter((container) => matchesId(container.sandboxId, podSandboxId))
    .filter((container) => matchesLabels(container.labels, labelSelector));
}
