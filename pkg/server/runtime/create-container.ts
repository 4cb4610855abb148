// CreateContainer: everything up to the point where the program could run.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { toContainerConfig } from '../convert/container-config.ts';
import { required } from '../convert/field.ts';
import { getSandbox } from '../find.ts';

export function createContainer(
  deps: Pick<ServerDeps, 'pods' | 'sandboxes'>,
): RuntimeServiceHandlers<Call>['createContainer'] {
  return async (call, { podSandboxId, config }) => {
    const sandbox = getSandbox(deps.sandboxes, podSandboxId);
    const containerConfig = toContainerConfig(required(config, 'config'));
    return { containerId: await deps.pods.createContainer(call, sandbox.id, containerConfig) };
  };
}
