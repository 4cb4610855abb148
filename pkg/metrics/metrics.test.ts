import { expect, test } from 'vitest';
import { Metrics } from './metrics.ts';
import type { NodeFacts } from './node-metrics.ts';

const facts: NodeFacts = {
  operations: () => [
    { method: 'RunPodSandbox', ageSeconds: 3 },
    { method: 'RunPodSandbox', ageSeconds: 7 },
    { method: 'PullImage', ageSeconds: 1 },
  ],
  containers: () => ['running', 'running', 'exited'],
  sandboxes: () => ['ready'],
  images: () => 4,
  imageBytes: () => Promise.resolve(1024),
  storeBytes: () => Promise.resolve(2048),
};

/** The lines of one metric, without its description. */
function linesOf(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'));
}

test('work that is over is counted by what it was and how it ended', async () => {
  using metrics = new Metrics('1.2.3');
  metrics.own.rpc('Version', 'ok', 2);
  metrics.own.rpc('Version', 'unavailable', 20_000);
  metrics.own.cni({ plugin: 'bridge', command: 'ADD' }, 'internal', 50);
  metrics.own.runtime({ program: 'oci-runtime', command: 'start' }, 'ok', 50);
  metrics.own.commit('ok', 0.4);
  metrics.own.pull('not_found', 50);
  metrics.own.layers({ fetched: 2, shared: 3, fetchedBytes: 100 });
  metrics.own.containerExit('OOMKilled');
  const text = await metrics.text();
  expect(linesOf(text, 'davit_rpcs_total')).toEqual([
    'davit_rpcs_total{method="Version",code="ok"} 1',
    'davit_rpcs_total{method="Version",code="unavailable"} 1',
  ]);
  expect(text).toContain('davit_rpc_duration_seconds_bucket{le="0.003",method="Version"} 1\n');
  expect(text).toContain('davit_rpc_duration_seconds_bucket{le="30",method="Version"} 2\n');
  expect(linesOf(text, 'davit_cni_failures_total')).toEqual([
    'davit_cni_failures_total{plugin="bridge",command="ADD",code="internal"} 1',
  ]);
  expect(linesOf(text, 'davit_runtime_failures_total')).toEqual([]);
  expect(text).toContain('davit_store_commit_duration_seconds_bucket{le="0.001"} 1\n');
  expect(linesOf(text, 'davit_image_pull_layers_total')).toEqual([
    'davit_image_pull_layers_total{how="fetched"} 2',
    'davit_image_pull_layers_total{how="shared"} 3',
  ]);
  expect(text).toContain('davit_image_pulls_total{code="not_found"} 1\n');
  expect(text).toContain('davit_container_exits_total{reason="OOMKilled"} 1\n');
});

test('what there is is looked at when it is asked for', async () => {
  using metrics = new Metrics('1.2.3');
  metrics.follow(facts);
  await metrics.text();
  const text = await metrics.text();
  expect(linesOf(text, 'davit_operation')).toEqual([
    'davit_operations_in_flight{method="RunPodSandbox"} 2',
    'davit_operations_in_flight{method="PullImage"} 1',
    'davit_operation_oldest_age_seconds{method="RunPodSandbox"} 7',
    'davit_operation_oldest_age_seconds{method="PullImage"} 1',
  ]);
  expect(linesOf(text, 'davit_containers')).toEqual([
    'davit_containers{phase="running"} 2',
    'davit_containers{phase="exited"} 1',
  ]);
  expect(text).toContain('davit_images 4\n');
  expect(text).toContain('davit_image_layers_bytes 1024\n');
  expect(text).toContain('davit_store_bytes 2048\n');
  expect(text).toContain('davit_build_info{version="1.2.3"} 1\n');
});
