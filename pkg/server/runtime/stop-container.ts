// StopContainer: the stop signal, then SIGKILL. One that has ended or is gone has been stopped.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { findContainer } from '../find.ts';

export function stopContainer(
  deps: Pick<ServerDeps, 'pods' | 'containers'>,
): RuntimeServiceHandlers<Call>['stopContainer'] {
  return async (call, { containerId, timeout }) => {
    const container = findContainer(deps.containers, containerId);
    if (container !== undefined) await deps.pods.stopContainer(call, container.id, toMilliseconds(timeout));
    return {};
  };
}

/** A year: who asks for more means for ever, and timers count no further. */
const MAX_GRACE_SECONDS = 31_536_000;

/** @param seconds 0 or less kills at once */
function toMilliseconds(seconds: bigint): number {
  return Math.min(Math.max(Number(seconds), 0), MAX_GRACE_SECONDS) * 1000;
}
