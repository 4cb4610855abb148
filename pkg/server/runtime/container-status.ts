// ContainerStatus: one container; verbose adds how its start went and what is behind it.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { isAlive } from '../../sys/process-identity.ts';
import type { ServerDeps } from '../deps.ts';
import type { Container } from '../../container/container.ts';
import { toContainerStatus } from '../convert/container-status.ts';
import { getContainer } from '../find.ts';

export function containerStatus(
  deps: Pick<ServerDeps, 'containers' | 'pods'>,
): RuntimeServiceHandlers<Call>['containerStatus'] {
  return async (_, { containerId, verbose }) => {
    const container = getContainer(deps.containers, containerId);
    return { status: toContainerStatus(container), info: verbose ? await toInfo(deps, container) : {} };
  };
}

/** `info` for people and crictl, `timeline` for who wonders why it was slow: JSON texts. */
async function toInfo(
  { pods }: Pick<ServerDeps, 'pods'>,
  container: Container,
): Promise<Record<string, string>> {
  const { sandboxId, handler, cgroupPath, state } = container;
  const pid = 'process' in state ? state.process.pid : 0;
  const monitorPid = 'shim' in state ? state.shim.pid : 0;
  const info = {
    sandboxID: sandboxId,
    pid,
    monitorPid,
    monitorAlive: 'shim' in state && (await isAlive(state.shim)),
    runtimeHandler: handler,
    phase: state.phase,
    cgroupPath,
  };
  return { info: JSON.stringify(info), timeline: JSON.stringify(pods.containerTimeline(container)) };
}
