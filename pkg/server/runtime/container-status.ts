// ContainerStatus: one container; verbose adds what is behind it.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import type { Container } from '../../container/container.ts';
import { toContainerStatus } from '../convert/container-status.ts';
import { getContainer } from '../find.ts';

export function containerStatus(
  deps: Pick<ServerDeps, 'containers'>,
): RuntimeServiceHandlers<Call>['containerStatus'] {
  return async (_, { containerId, verbose }) => {
    const container = getContainer(deps.containers, containerId);
    return { status: toContainerStatus(container), info: verbose ? toInfo(container) : {} };
  };
}

/** A JSON text for people and crictl. */
function toInfo({ sandboxId, handler, cgroupPath, state }: Container): Record<string, string> {
  const pid = 'process' in state ? state.process.pid : 0;
  const monitorPid = 'shim' in state ? state.shim.pid : 0;
  const info = {
    sandboxID: sandboxId,
    pid,
    monitorPid,
    runtimeHandler: handler,
    phase: state.phase,
    cgroupPath,
  };
  return { info: JSON.stringify(info) };
}
