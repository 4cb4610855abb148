// ContainerStats: what one container uses.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { getContainer } from '../find.ts';
import { sampleContainers } from './container-usage.ts';
import type { StatsDeps } from './deps.ts';

/** Of one that has ended, what it is called and what it has written is all there is. */
export function containerStats(deps: StatsDeps): RuntimeServiceHandlers<Call>['containerStats'] {
  return async (call, { containerId }) => {
    const container = getContainer(deps.containers, containerId);
    const toStats = await sampleContainers(deps, call, [container]);
    return { stats: toStats(container) };
  };
}
