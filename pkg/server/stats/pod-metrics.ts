// The metrics of pods in the words of the CRI.

import { MetricType, type MetricInit, type PodSandboxMetricsInit } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { StatsDeps } from './deps.ts';
import { sampleRows, type Row } from './pod-rows.ts';

/** One pod after another, as they are fetched. */
export async function samplePods(
  deps: StatsDeps,
  call: Call,
  sandboxes: readonly Sandbox[],
): Promise<Iterable<PodSandboxMetricsInit>> {
  const pods = await sampleRows(deps, call, sandboxes);
  return Iterator.from(pods).map(({ sandboxId, rows, containers }) => ({
    podSandboxId: sandboxId,
    metrics: rows.map(toMetric),
    containerMetrics: containers.map(({ containerId, rows: own }) => ({
      containerId,
      metrics: own.map(toMetric),
    })),
  }));
}

const TYPES = { counter: MetricType.COUNTER, gauge: MetricType.GAUGE } as const;

function toMetric({ metric, labels, value, takenAtNs }: Row): MetricInit {
  return {
    name: metric.name,
    timestamp: takenAtNs,
    metricType: TYPES[metric.kind],
    labelValues: labels,
    value: { value: BigInt(Math.floor(value)) }, // the CRI has no fractions: whole seconds
  };
}
