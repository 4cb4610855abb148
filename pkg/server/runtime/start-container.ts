// StartContainer: lets the program run.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { getContainer } from '../find.ts';

export function startContainer(
  deps: Pick<ServerDeps, 'pods' | 'containers'>,
): RuntimeServiceHandlers<Call>['startContainer'] {
  return async (call, { containerId }) => {
    await deps.pods.startContainer(call, getContainer(deps.containers, containerId).id);
    return {};
  };
}
