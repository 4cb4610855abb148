// ListPodSandboxStats and StreamPodSandboxStats: the same usages, in one message or in several.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { PodSandboxStatsFilter } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { inBatches, matchesId, matchesLabels } from '../convert/filter.ts';
import type { StatsDeps } from './deps.ts';
import { podUsages } from './pod-usage.ts';
import { listUsingSandboxes } from './subjects.ts';

export function listPodSandboxStats(deps: StatsDeps): RuntimeServiceHandlers<Call>['listPodSandboxStats'] {
  return async (call, { filter }) => ({ stats: await podUsages(deps, call, list(deps, filter)) });
}

export function streamPodSandboxStats(
  deps: StatsDeps,
): RuntimeServiceHandlers<Call>['streamPodSandboxStats'] {
  return async function* (call, { filter }) {
    const usages = await podUsages(deps, call, list(deps, filter));
    for (const podSandboxStats of inBatches(usages)) yield { podSandboxStats };
  };
}

function list(deps: StatsDeps, filter: PodSandboxStatsFilter | undefined): Sandbox[] {
  const { id = '', labelSelector = {} } = filter ?? {};
  return listUsingSandboxes(deps)
    .filter((sandbox) => matchesId(sandbox.id, id))
    .filter((sandbox) => matchesLabels(sandbox.config.labels, labelSelector));
}
