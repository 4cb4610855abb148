// PodSandboxStats: what one pod uses.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { getSandbox } from '../find.ts';
import type { StatsDeps } from './deps.ts';
import { podUsages } from './pod-usage.ts';

export function podSandboxStats(deps: StatsDeps): RuntimeServiceHandlers<Call>['podSandboxStats'] {
  return async (call, { podSandboxId }) => {
    const [stats] = await podUsages(deps, call, [getSandbox(deps.sandboxes, podSandboxId)]);
    return { stats };
  };
}
