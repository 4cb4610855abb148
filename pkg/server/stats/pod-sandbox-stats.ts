// PodSandboxStats: what one pod uses.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { getSandbox } from '../find.ts';
import type { StatsDeps } from './deps.ts';
import { samplePodUsages } from './pod-usage.ts';

export function podSandboxStats(deps: StatsDeps): RuntimeServiceHandlers<Call>['podSandboxStats'] {
  return async (call, { podSandboxId }) => {
    const sandbox = getSandbox(deps.sandboxes, podSandboxId);
    const toStats = await samplePodUsages(deps, call, [sandbox]);
    return { stats: toStats(sandbox) };
  };
}
