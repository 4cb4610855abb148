// Status: whether pods can be run and given a network, and what this runtime can do.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { runtimeCondition } from '../stall.ts';
import type { RuntimeHandlerInit } from '../../../api/cri/generated/types.ts';

export function status(
  deps: Pick<
    ServerDeps,
    | 'version'
    | 'networks'
    | 'handlers'
    | 'features'
    | 'apparmor'
    | 'selinux'
    | 'cdi'
    | 'hooks'
    | 'cgroupDriver'
    | 'operations'
    | 'preloaded'
  > & {
    readonly pods: Pick<ServerDeps['pods'], 'underWay'>;
  },
): RuntimeServiceHandlers<Call>['status'] {
  return async (call, { verbose }) => {
    const network = deps.networks.status();
    const runtime = runtimeCondition(deps.operations.list(), deps.pods.underWay());
    const runtimeHandlers = await toHandlers(call, deps);
    const userNamespacesHostNetwork = runtimeHandlers.some(({ features }) => features?.userNamespaces);
    return {
      status: {
        conditions: [
          runtime,
          { type: 'NetworkReady', status: network.ready, reason: network.reason, message: network.message },
        ],
      },
      runtimeHandlers,
      features: { supplementalGroupsPolicy: true, userNamespacesHostNetwork, mountOptions: true },
      info: verbose ? await toInfo(deps) : {},
    };
  };
}

/** The name '' is the default handler, as the CRI has it. */
async function toHandlers(
  call: Call,
  { handlers, features }: Pick<ServerDeps, 'handlers' | 'features'>,
): Promise<RuntimeHandlerInit[]> {
  const found: RuntimeHandlerInit[] = [];
  for (const name of ['', ...handlers.names()]) {
    const { recursiveReadonlyMounts, userNamespaces } = await features.find(call, name);
    const can = { recursiveReadOnlyMounts: recursiveReadonlyMounts, userNamespaces };
    found.push({ name, features: can });
  }
  return found;
}

/** Which archives of images have been imported, and which could not be. */
function toPreloaded({ preloaded }: Pick<ServerDeps, 'preloaded'>): string {
  const files = preloaded.list().map(({ id, imageIds }) => ({ file: id, imageIds }));
  return JSON.stringify({ imported: files, failed: preloaded.failures() });
}

type InfoDeps = Pick<
  ServerDeps,
  'version' | 'handlers' | 'apparmor' | 'selinux' | 'cgroupDriver' | 'preloaded' | 'cdi' | 'hooks'
>;

/** Each value is JSON. What operators have put on the node is told with what of it cannot be used. */
async function toInfo(deps: InfoDeps): Promise<Record<string, string>> {
  const { version, handlers, apparmor, selinux, cgroupDriver, cdi, hooks } = deps;
  const modules = { apparmor: await apparmor.state(), selinux: selinux.state };
  const config = { version, handlers: handlers.names(), cgroupDriver, ...modules };
  return {
    config: JSON.stringify(config),
    preloaded: toPreloaded(deps),
    cdi: JSON.stringify(cdi.status()),
    hooks: JSON.stringify(hooks.status()),
  };
}
