// PodSandboxStatus: one sandbox with its containers, all as they are at one moment; verbose adds how its start
// went and what is behind it.

import { timeOfDayNs } from '../../base/clock.ts';
import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { toJson } from '../../codec/decode.ts';
import type { ServerDeps } from '../deps.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { isVisible, toContainerStatus } from '../convert/container-status.ts';
import { toSandboxStatus } from '../convert/sandbox-status.ts';
import { getSandbox } from '../find.ts';

export function podSandboxStatus(
  deps: Pick<ServerDeps, 'sandboxes' | 'containers' | 'pods'>,
): RuntimeServiceHandlers<Call>['podSandboxStatus'] {
  return async (_, { podSandboxId, verbose }) => {
    const sandbox = getSandbox(deps.sandboxes, podSandboxId);
    return {
      status: toSandboxStatus(sandbox),
      info: verbose ? toInfo(deps, sandbox) : {},
      // A kubelet that sees a timestamp takes the containers from here, and asks no more: both or neither.
      containersStatuses: deps.containers
        .list()
        .filter((container) => container.sandboxId === sandbox.id && isVisible(container))
        .map(toContainerStatus),
      timestamp: timeOfDayNs(),
    };
  };
}

/** `info` for people and crictl, `timeline` for davitctl: JSON texts. */
function toInfo({ pods }: Pick<ServerDeps, 'pods'>, sandbox: Sandbox): Record<string, string> {
  const { cgroupPath, config, network, state } = sandbox;
  const info = {
    runtimeHandler: config.handler,
    phase: state.phase,
    cgroupPath,
    namespaces: pods.namespacesOf(sandbox.id),
    cniResult: network?.raw,
    resources: config.resources && toJson(config.resources),
    overhead: config.overhead && toJson(config.overhead),
  };
  return { info: JSON.stringify(info), timeline: JSON.stringify(pods.timeline(sandbox.id)) };
}
