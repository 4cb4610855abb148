// ReopenContainerLog: the kubelet has moved the log away; the shim goes on in a new file.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { getContainer } from '../find.ts';

export function reopenContainerLog(
  deps: Pick<ServerDeps, 'pods' | 'containers'>,
): RuntimeServiceHandlers<Call>['reopenContainerLog'] {
  return async (call, { containerId }) => {
    await deps.pods.reopenLog(call, getContainer(deps.containers, containerId).id);
    return {};
  };
}
