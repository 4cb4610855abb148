// PortForward: prepares connections to ports of a pod for a client that comes to the URL.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { refuseUnlessReady } from '../../pod/streaming.ts';
import type { ServerDeps } from '../deps.ts';
import { refuse } from '../convert/field.ts';
import { getSandbox } from '../find.ts';

export function portForward(
  deps: Pick<ServerDeps, 'sandboxes' | 'streaming'>,
): RuntimeServiceHandlers<Call>['portForward'] {
  return async (_call, { podSandboxId, port: ports }) => {
    const sandbox = getSandbox(deps.sandboxes, podSandboxId);
    const bad = ports.find((port) => port < 1 || port > 65_535);
    if (bad !== undefined) throw refuse('port', bad, 'is not a port from 1 to 65535');
    refuseUnlessReady(sandbox, 'forward ports of');
    return { url: deps.streaming.url({ kind: 'portforward', id: sandbox.id, ports }) };
  };
}
