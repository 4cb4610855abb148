// UpdateContainerResources: changes the limits of a live container, all of them or none.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { toResources } from '../convert/resources.ts';
import { getContainer } from '../find.ts';

export function updateContainerResources(
  deps: Pick<ServerDeps, 'pods' | 'containers'>,
): RuntimeServiceHandlers<Call>['updateContainerResources'] {
  return async (call, { containerId, linux }) => {
    const container = getContainer(deps.containers, containerId);
    if (linux !== undefined) await deps.pods.updateContainer(call, container.id, toResources(linux));
    return {};
  };
}
