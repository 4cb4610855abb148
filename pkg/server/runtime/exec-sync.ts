// ExecSync: runs a command in a container to its end.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { Fault } from '../../base/fault.ts';
import { getContainer } from '../find.ts';

export function execSync(
  deps: Pick<ServerDeps, 'pods' | 'containers'>,
): RuntimeServiceHandlers<Call>['execSync'] {
  return async (call, { containerId, cmd, timeout }) => {
    const container = getContainer(deps.containers, containerId);
    if (cmd.length === 0) throw new Fault('invalid_argument', 'cmd is empty');
    const timeoutMs = timeout > 0n ? Number(timeout) * 1000 : undefined;
    return await deps.pods.execSync(call, container.id, { args: cmd, timeoutMs });
  };
}
