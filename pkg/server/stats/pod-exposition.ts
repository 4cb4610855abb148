// The metrics of pods in the text format of Prometheus, version 0.0.4: the same as the CRI's, but exact.

import { setImmediate } from 'node:timers/promises';
import type { Call } from '../../base/call.ts';
import { BASE_LABEL_KEYS, METRIC_DESCRIPTIONS } from '../../stats/metrics/catalogue.ts';
import type { StatsDeps } from './deps.ts';
import { sampleRows, type Row } from './pod-rows.ts';
import { listUsingSandboxes } from './subjects.ts';

/** @throws the reason of `call.signal` */
export async function podExposition(deps: StatsDeps, call: Call): Promise<string> {
  const lines = new Map(METRIC_DESCRIPTIONS.map(({ name }) => [name, [] as string[]]));
  for (const pod of await sampleRows(deps, call, listUsingSandboxes(deps))) {
    for (const row of pod.rows) lines.get(row.metric.name)?.push(toLine(row));
    for (const { rows } of pod.containers)
      for (const row of rows) lines.get(row.metric.name)?.push(toLine(row));
    await setImmediate(); // a pod takes a fraction of a millisecond; then others have their turn
    call.signal.throwIfAborted();
  }
  const blocks = METRIC_DESCRIPTIONS.map(({ name, help, kind }) => {
    const samples = lines.get(name) ?? [];
    if (samples.length === 0) return '';
    return `# HELP ${name} ${help}\n# TYPE ${name} ${expositionKind(name, kind)}\n${samples.join('')}`;
  });
  return blocks.join('');
}

/** Names are cAdvisor's. Prometheus wants `_total` at the end of those of counters and of no others, unlike some of them. */
export function expositionKind(name: string, kind: 'counter' | 'gauge'): 'counter' | 'gauge' | 'untyped' {
  return (kind === 'counter') === name.endsWith('_total') ? kind : 'untyped';
}

function toLine({ metric, labels, value }: Row): string {
  const keys = metric.labelKeys.length === 0 ? BASE_LABEL_KEYS : [...BASE_LABEL_KEYS, ...metric.labelKeys];
  const pairs = keys.map((key, index) => `${key}="${escape(labels[index] ?? '')}"`);
  return `${metric.name}{${pairs.join(',')}} ${value}\n`;
}

/** Nearly no value has one of these. */
const SPECIAL = /[\\"\n]/;

function escape(value: string): string {
  if (!SPECIAL.test(value)) return value;
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
