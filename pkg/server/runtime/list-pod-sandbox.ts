// ListPodSandbox and StreamPodSandboxes: the same sandboxes, in one message or in several.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { PodSandboxFilter, PodSandboxInit } from '../../../api/cri/generated/types.ts';
import { inBatches } from '../../base/batches.ts';
import type { Call } from '../../base/call.ts';
import { ITEMS_PER_MESSAGE, matchesId, matchesLabels } from '../convert/filter.ts';
import { isVisible, toPodSandbox, toSandboxState } from '../convert/sandbox-status.ts';
import type { ServerDeps } from '../deps.ts';

type Deps = Pick<ServerDeps, 'sandboxes'>;

export function listPodSandbox(deps: Deps): RuntimeServiceHandlers<Call>['listPodSandbox'] {
  return (_, { filter }) => Promise.resolve({ items: list(deps, filter) });
}

export function streamPodSandboxes(deps: Deps): RuntimeServiceHandlers<Call>['streamPodSandboxes'] {
  return async function* (_, { filter }) {
    for (const podSandboxes of inBatches(list(deps, filter), ITEMS_PER_MESSAGE)) yield { podSandboxes };
  };
}

function list({ sandboxes }: Deps, filter: PodSandboxFilter | undefined): PodSandboxInit[] {
  const { id = '', state, labelSelector = {} } = filter ?? {};
  return sandboxes
    .list()
    .filter(isVisible)
    .filter((sandbox) => matchesId(sandbox.id, id))
    .filter((sandbox) => state === undefined || toSandboxState(sandbox) === state.state)
    .filter((sandbox) => matchesLabels(sandbox.config.labels, labelSelector))
    .map(toPodSandbox);
}
