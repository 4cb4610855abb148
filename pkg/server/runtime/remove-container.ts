// RemoveContainer: forgets a container, killing it first if it runs. One that is gone has been removed.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { findContainer } from '../find.ts';

export function removeContainer(
  deps: Pick<ServerDeps, 'pods' | 'containers'>,
): RuntimeServiceHandlers<Call>['removeContainer'] {
  return async (call, { containerId }) => {
    const container = findContainer(deps.containers, containerId);
    if (container !== undefined) await deps.pods.removeContainer(call, container.id);
    return {};
  };
}
