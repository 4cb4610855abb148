// What is exported, what the documentation, the dashboard and the alerts say of it, and what Prometheus' own tool
// thinks of all that.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Metrics } from '../../pkg/metrics/metrics.ts';
import { testCall } from '../../pkg/base/testing/call.ts';
import { podExposition } from '../../pkg/server/stats/pod-exposition.ts';
import { FakeNode } from '../../pkg/server/stats/testing/node.ts';
import { tempDir } from '../../pkg/sys/testing/temp-dir.ts';
import { allMetrics, metricsDocument } from './testing/metrics-document.ts';

const REPO = join(import.meta.dirname, '../..');
const ALERTS = join(REPO, 'deploy/alerts.yaml');
const DASHBOARD = join(REPO, 'deploy/grafana-davit.json');

function promtool(args: readonly string[], input = ''): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw new Error('promtool is missing: install prometheus', { cause: error });
  return { status, output: stdout + stderr };
}

function fullOwnMetrics(): Metrics {
  const metrics = new Metrics('1.2.3');
  metrics.follow({
    operations: () => [{ method: 'PullImage', ageSeconds: 2 }],
    containers: () => ['running'],
    sandboxes: () => ['ready'],
    images: () => 1,
    imageBytes: () => Promise.resolve(1),
    storeBytes: () => Promise.resolve(2048),
  });
  const { own } = metrics;
  own.rpc('Version', 'ok', 1);
  own.cni({ plugin: 'bridge', command: 'ADD' }, 'internal', 1);
  own.runtime({ program: 'monitor', command: 'create' }, 'internal', 1);
  own.commit('internal', 1);
  own.pull('ok', 1);
  own.layers({ fetched: 1, shared: 1, fetchedBytes: 1 });
  own.containerExit('Completed');
  return metrics;
}

test('promtool finds nothing wrong with what is exported', async () => {
  using metrics = fullOwnMetrics();
  const text = (await metrics.text()) + (await podExposition(new FakeNode().deps, testCall));
  const described = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
  const { own, pods } = allMetrics();
  expect(described.sort()).toEqual([...own, ...pods].map(({ name }) => name).sort());
  expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' });
});

test('docs/metrics.md says what there is', async () => {
  await expect(metricsDocument()).toMatchFileSnapshot(join(REPO, 'docs/metrics.md'));
});

test.each([ALERTS, DASHBOARD])('%s refers only to metrics that there are', (file) => {
  const { own, pods } = allMetrics();
  const known = new Set([...own, ...pods].flatMap(({ name, kind }) => seriesOf(name, kind)));
  const used = readFileSync(file, 'utf8').match(/\b(davit|container|process)_[a-z0-9_]+/g) ?? [];
  expect(used.length).toBeGreaterThan(5);
  expect(used.filter((name) => !known.has(name))).toEqual([]);
});

test('the alerts load in Prometheus', () => {
  const { status, output } = promtool(['check', 'rules', ALERTS]);
  expect({ status, output }).toMatchObject({
    status: 0,
    output: expect.stringContaining('SUCCESS') as unknown,
  });
});

test('every expression of the dashboard is one that Prometheus understands', () => {
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
    panels: { targets?: { expr: string }[] }[];
  };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const rules = expressions.map((expr, index) => ({ record: `panel:${index}`, expr: expand(expr) }));
  using dir = tempDir();
  const file = dir.join('rules.yaml');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] })); // YAML reads JSON
  expect(promtool(['check', 'rules', file])).toEqual({
    status: 0,
    output: expect.stringContaining('SUCCESS') as unknown,
  });
});

/** As Grafana does it. */
function expand(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$instance', '.*')
    .replaceAll('$namespace', '.*');
}

function seriesOf(name: string, kind: string): string[] {
  return kind === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}
