// Exec: prepares a command in a container; it runs when a client comes to the URL.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import { refuseUnlessRunning } from '../../pod/streaming.ts';
import type { ServerDeps } from '../deps.ts';
import { getContainer } from '../find.ts';
import { toWantedStreams } from '../convert/streams.ts';

export function exec(
  deps: Pick<ServerDeps, 'containers' | 'streaming'>,
): RuntimeServiceHandlers<Call>['exec'] {
  return async (_call, { containerId, cmd, ...streams }) => {
    const container = getContainer(deps.containers, containerId);
    if (cmd.length === 0) throw new Fault('invalid_argument', 'cmd is empty');
    const wanted = toWantedStreams(streams);
    refuseUnlessRunning(container, 'run a command in');
    return { url: deps.streaming.url({ kind: 'exec', id: container.id, args: cmd, ...wanted }) };
  };
}
