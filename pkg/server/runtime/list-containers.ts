// ListContainers and StreamContainers: the same containers, in one message or in several.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { ContainerFilter, ContainerInit } from '../../../api/cri/generated/types.ts';
import { inBatches } from '../../base/batches.ts';
import type { Call } from '../../base/call.ts';
import { isVisible, toContainer, toContainerState } from '../convert/container-status.ts';
import { ITEMS_PER_MESSAGE, matchesId, matchesLabels } from '../convert/filter.ts';
import type { ServerDeps } from '../deps.ts';

type Deps = Pick<ServerDeps, 'containers'>;

export function listContainers(deps: Deps): RuntimeServiceHandlers<Call>['listContainers'] {
  return (_, { filter }) => Promise.resolve({ containers: list(deps, filter) });
}

export function streamContainers(deps: Deps): RuntimeServiceHandlers<Call>['streamContainers'] {
  return async function* (_, { filter }) {
    for (const containers of inBatches(list(deps, filter), ITEMS_PER_MESSAGE)) yield { containers };
  };
}

function list({ containers }: Deps, filter: ContainerFilter | undefined): ContainerInit[] {
  const { id = '', podSandboxId = '', state, labelSelector = {} } = filter ?? {};
  return containers
    .list()
    .filter(isVisible)
    .filter((container) => matchesId(container.id, id))
    .filter((container) => matchesId(container.sandboxId, podSandboxId))
    .filter((container) => state === undefined || toContainerState(container) === state.state)
    .filter((container) => matchesLabels(container.labels, labelSelector))
    .map(toContainer);
}
