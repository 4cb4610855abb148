// ListPodSandboxMetrics and StreamPodSandboxMetrics: the same metrics, in one message or in several.

import type { RuntimeServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { PodSandboxMetricsInit } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { InParts } from '../serve.ts';
import type { StatsDeps } from './deps.ts';
import { samplePods } from './pod-metrics.ts';
import { listUsingSandboxes } from './subjects.ts';

export function listPodSandboxMetrics(
  deps: StatsDeps,
): InParts<RuntimeServiceHandlers<Call>['listPodSandboxMetrics']> {
  return async function* (call) {
    for (const pod of await samplePods(deps, call, listUsingSandboxes(deps))) yield { podMetrics: [pod] };
  };
}

export function streamPodSandboxMetrics(
  deps: StatsDeps,
): RuntimeServiceHandlers<Call>['streamPodSandboxMetrics'] {
  return async function* (call) {
    let podSandboxMetrics: PodSandboxMetricsInit[] = [];
    for (const pod of await samplePods(deps, call, listUsingSandboxes(deps))) {
      podSandboxMetrics.push(pod);
      if (countRows(podSandboxMetrics) < ROWS_PER_MESSAGE) continue;
      yield { podSandboxMetrics };
      podSandboxMetrics = [];
    }
    if (podSandboxMetrics.length > 0) yield { podSandboxMetrics };
  };
}

/** A row takes some 200 bytes; and other calls have their turn between messages. */
const ROWS_PER_MESSAGE = 2000;

function countRows(pods: readonly PodSandboxMetricsInit[]): number {
  const lengths = pods.flatMap(({ metrics, containerMetrics }) => [
    metrics?.length ?? 0,
    ...(containerMetrics ?? []).map((container) => container.metrics?.length ?? 0),
  ]);
  return lengths.reduce((total, length) => total + length, 0);
}
