// The RPCs that tell what pods use.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { InParts } from '../serve.ts';
import { containerStats } from './container-stats.ts';
import type { StatsDeps } from './deps.ts';
import { listContainerStats, streamContainerStats } from './list-container-stats.ts';
import { listMetricDescriptors } from './list-metric-descriptors.ts';
import { listPodSandboxMetrics, streamPodSandboxMetrics } from './list-pod-sandbox-metrics.ts';
import { listPodSandboxStats, streamPodSandboxStats } from './list-pod-sandbox-stats.ts';
import { podSandboxStats } from './pod-sandbox-stats.ts';

type Handlers = RuntimeServiceHandlers<Call>;

type StatsCall =
  | 'containerStats'
  | 'streamContainerStats'
  | 'podSandboxStats'
  | 'streamPodSandboxStats'
  | 'listMetricDescriptors'
  | 'streamPodSandboxMetrics';

type LongCall = 'listContainerStats' | 'listPodSandboxStats' | 'listPodSandboxMetrics';

type StatsServices = Pick<Handlers, StatsCall> & { readonly [Name in LongCall]: InParts<Handlers[Name]> };

export function statsServices(deps: StatsDeps): StatsServices {
  return {
    containerStats: containerStats(deps),
    listContainerStats: listContainerStats(deps),
    streamContainerStats: streamContainerStats(deps),
    podSandboxStats: podSandboxStats(deps),
    listPodSandboxStats: listPodSandboxStats(deps),
    streamPodSandboxStats: streamPodSandboxStats(deps),
    listMetricDescriptors: listMetricDescriptors(),
    listPodSandboxMetrics: listPodSandboxMetrics(deps),
    streamPodSandboxMetrics: streamPodSandboxMetrics(deps),
  };
}
