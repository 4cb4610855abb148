// RunPodSandbox: namespaces, cgroup and network for a pod.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { required } from '../convert/field.ts';
import { toPodAppArmor, toSandboxConfig } from '../convert/sandbox-config.ts';

export function runPodSandbox(
  deps: Pick<ServerDeps, 'pods' | 'handlers' | 'apparmor'>,
): RuntimeServiceHandlers<Call>['runPodSandbox'] {
  return async (call, { config, runtimeHandler }) => {
    const handler = deps.handlers.get(runtimeHandler).name;
    const wire = required(config, 'config');
    const profile = toPodAppArmor(wire);
    if (profile.kind === 'localhost') await deps.apparmor.expectLoaded(call, profile.reference);
    const podSandboxId = await deps.pods.run(call, toSandboxConfig(wire, handler));
    return { podSandboxId };
  };
}
