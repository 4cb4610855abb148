// RunPodSandbox: namespaces, cgroup and network for a pod.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import type { SandboxConfig } from '../../sandbox/sandbox.ts';
import type { ServerDeps } from '../deps.ts';
import { required } from '../convert/field.ts';
import { toPodAppArmor, toSandboxConfig } from '../convert/sandbox-config.ts';

export function runPodSandbox(
  deps: Pick<ServerDeps, 'pods' | 'handlers' | 'features' | 'apparmor'>,
): RuntimeServiceHandlers<Call>['runPodSandbox'] {
  return async (call, { config, runtimeHandler }) => {
    const handler = deps.handlers.get(runtimeHandler).name;
    const wire = required(config, 'config');
    const profile = toPodAppArmor(wire);
    if (profile.kind === 'localhost') await deps.apparmor.expectLoaded(call, profile.reference);
    const asked = toSandboxConfig(wire, handler);
    await checkUserNamespace(deps, call, asked);
    return { podSandboxId: await deps.pods.run(call, asked) };
  };
}

async function checkUserNamespace(
  { features }: Pick<ServerDeps, 'features'>,
  call: Call,
  { userNamespace, handler }: SandboxConfig,
): Promise<void> {
  if (userNamespace === undefined || (await features.find(call, handler)).userNamespaces) return;
  throw new Fault(
    'unimplemented',
    `config.linux.security_context.namespace_options.userns_options.mode "POD" is not possible: runtime handler "${handler}", this kernel or the file system of the images cannot give a pod users of its own`,
    { detail: { handler } },
  );
}
