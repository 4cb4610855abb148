// RemovePodSandbox: forgets a pod and all its containers, killing what still runs.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { findSandbox } from '../find.ts';

export function removePodSandbox(
  deps: Pick<ServerDeps, 'pods' | 'sandboxes'>,
): RuntimeServiceHandlers<Call>['removePodSandbox'] {
  return async (call, { podSandboxId }) => {
    const sandbox = findSandbox(deps.sandboxes, podSandboxId);
    if (sandbox !== undefined) await deps.pods.remove(call, sandbox.id);
    return {};
  };
}
