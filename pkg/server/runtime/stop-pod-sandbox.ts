// StopPodSandbox: ends all processes of a pod and gives its network back. One that is gone has been stopped.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { findSandbox } from '../find.ts';

export function stopPodSandbox(
  deps: Pick<ServerDeps, 'pods' | 'sandboxes'>,
): RuntimeServiceHandlers<Call>['stopPodSandbox'] {
  return async (call, { podSandboxId }) => {
    const sandbox = findSandbox(deps.sandboxes, podSandboxId);
    if (sandbox !== undefined) await deps.pods.stop(call, sandbox.id);
    return {};
  };
}
