// RunPodSandbox: namespaces, cgroup and network for a pod.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { checkAppArmor } from '../../runtime/apparmor.ts';
import type { ServerDeps } from '../deps.ts';
import { required } from '../convert/field.ts';
import { toPodAppArmor, toSandboxConfig } from '../convert/sandbox-config.ts';

export function runPodSandbox(
  deps: Pick<ServerDeps, 'pods' | 'handlers'>,
): RuntimeServiceHandlers<Call>['runPodSandbox'] {
  return async (call, { config, runtimeHandler }) => {
    const handler = deps.handlers.get(runtimeHandler).name;
    const wire = required(config, 'config');
    await checkAppArmor(call, toPodAppArmor(wire));
    const podSandboxId = await deps.pods.run(call, toSandboxConfig(wire, handler));
    return { podSandboxId };
  };
}
