// ListContainerStats and StreamContainerStats: the same usages, in one message or in several.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { ContainerStatsFilter } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { Container } from '../../container/container.ts';
import { inBatches, matchesId, matchesLabels } from '../convert/filter.ts';
import { containerUsages } from './container-usage.ts';
import type { StatsDeps } from './deps.ts';
import { listUsingContainers } from './subjects.ts';

export function listContainerStats(deps: StatsDeps): RuntimeServiceHandlers<Call>['listContainerStats'] {
  return async (call, { filter }) => ({ stats: await containerUsages(deps, call, list(deps, filter)) });
}

export function streamContainerStats(deps: StatsDeps): RuntimeServiceHandlers<Call>['streamContainerStats'] {
  return async function* (call, { filter }) {
    const usages = await containerUsages(deps, call, list(deps, filter));
    for (const containerStats of inBatches(usages)) yield { containerStats };
  };
}

function list(deps: StatsDeps, filter: ContainerStatsFilter | undefined): Container[] {
  const { id = '', podSandboxId = '', labelSelector = {} } = filter ?? {};
  return listUsingContainers(deps)
    .filter((container) => matchesId(container.id, id))
    .filter((container) => matchesId(container.sandboxId, podSandboxId))
    .filter((container) => matchesLabels(container.labels, labelSelector));
}
