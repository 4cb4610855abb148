// Traces of the real daemon, as a collector receives them.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

interface Sent {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: SentSpan[] }[] }[];
}

const spans: SentSpan[] = [];
const collector = createServer((request, response) => {
  let text = '';
  request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  request.on('end', () => {
    const { resourceSpans } = JSON.parse(text) as Sent;
    spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.end('{}');
  });
}).listen(0, '127.0.0.1');
await once(collector, 'listening');
const { port } = collector.address() as AddressInfo;

const node = useNode({
  config: `[tracing]\nendpoint = "http://127.0.0.1:${port}/v1/traces"\nsamples_per_thousand = 1000\n`,
});

afterAll(() => {
  collector.closeAllConnections();
  collector.close();
});

test("a pod's start is a trace with its stages, the plugins among them", async () => {
  await TestPod.run(node);
  const root = await eventually(
    'the trace arrives',
    () => spans.find(({ name }) => name === 'RunPodSandbox'),
    20_000,
  );
  const own = spans.filter(({ traceId }) => traceId === root.traceId);
  const bridge = own.find(({ name }) => name === 'cni add bridge');
  const ancestors: string[] = [];
  for (let at = bridge; at !== undefined; at = own.find(({ spanId }) => spanId === at.parentSpanId))
    ancestors.push(at.name);
  expect(ancestors[0]).toBe('cni add bridge');
  expect(ancestors.slice(-2)).toEqual(['run pod sandbox', 'RunPodSandbox']);
});
