// Attach: prepares the standard streams of a container for a client that comes to the URL.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { refuseUnlessRunning } from '../../pod/streaming.ts';
import type { ServerDeps } from '../deps.ts';
import { getContainer } from '../find.ts';
import { toWantedStreams } from '../convert/streams.ts';

export function attach(
  deps: Pick<ServerDeps, 'containers' | 'streaming'>,
): RuntimeServiceHandlers<Call>['attach'] {
  return async (_call, { containerId, ...streams }) => {
    const container = getContainer(deps.containers, containerId);
    const wanted = toWantedStreams(streams);
    refuseUnlessRunning(container, 'attach to');
    return { url: deps.streaming.url({ kind: 'attach', id: container.id, ...wanted }) };
  };
}
