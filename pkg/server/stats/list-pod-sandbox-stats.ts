// ListPodSandboxStats and StreamPodSandboxStats: the same usages, in one message or in several.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { PodSandboxStatsFilter, PodSandboxStatsInit } from '../../../api/cri/generated/types.ts';
import { inBatches } from '../../base/batches.ts';
import type { Call } from '../../base/call.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import { matchesId, matchesLabels, USAGES_PER_PART } from '../convert/filter.ts';
import type { InParts } from '../serve.ts';
import type { StatsDeps } from './deps.ts';
import { samplePodUsages } from './pod-usage.ts';
import { listUsingSandboxes } from './subjects.ts';

export function listPodSandboxStats(
  deps: StatsDeps,
): InParts<RuntimeServiceHandlers<Call>['listPodSandboxStats']> {
  return async function* (call, { filter }) {
    for await (const stats of sampleInParts(deps, call, filter)) yield { stats };
  };
}

export function streamPodSandboxStats(
  deps: StatsDeps,
): RuntimeServiceHandlers<Call>['streamPodSandboxStats'] {
  return async function* (call, { filter }) {
    for await (const podSandboxStats of sampleInParts(deps, call, filter)) yield { podSandboxStats };
  };
}

/** Of one sample, all of it. */
async function* sampleInParts(
  deps: StatsDeps,
  call: Call,
  filter: PodSandboxStatsFilter | undefined,
): AsyncGenerator<PodSandboxStatsInit[]> {
  const sandboxes = list(deps, filter);
  const toStats = await samplePodUsages(deps, call, sandboxes);
  for (const part of inBatches(sandboxes, USAGES_PER_PART)) yield part.map(toStats);
}

function list(deps: StatsDeps, filter: PodSandboxStatsFilter | undefined): Sandbox[] {
  const { id = '', labelSelector = {} } = filter ?? {};
  return listUsingSandboxes(deps)
    .filter((sandbox) => matchesId(sandbox.id, id))
    .filter((sandbox) => matchesLabels(sandbox.config.labels, labelSelector));
}
