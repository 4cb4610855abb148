// UpdatePodSandboxResources: the kubelet has new limits for a whole pod, and has set them.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { toPodResources } from '../convert/resources.ts';
import { getSandbox } from '../find.ts';

export function updatePodSandboxResources(
  deps: Pick<ServerDeps, 'pods' | 'sandboxes'>,
): RuntimeServiceHandlers<Call>['updatePodSandboxResources'] {
  return async (call, { podSandboxId, resources, overhead }) => {
    const sandbox = getSandbox(deps.sandboxes, podSandboxId);
    await deps.pods.updateSandbox(call, sandbox.id, toPodResources({ resources, overhead }));
    return {};
  };
}
