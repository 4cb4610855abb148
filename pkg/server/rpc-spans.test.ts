import { expect, test } from 'vitest';
import { toSpans, type FinishedRpc } from './rpc-spans.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const rpc: FinishedRpc = {
  method: 'RunPodSandbox',
  subject: 'shop/web',
  startedAtMs: 1000,
  stages: [
    { name: 'run pod sandbox', startedAtMs: 1001, tookMs: 90 },
    { name: 'cni add bridge', startedAtMs: 1010, tookMs: 20 },
    { name: 'cni add portmap', startedAtMs: 1040, tookMs: 20 },
    { name: 'answer', startedAtMs: 1095 },
  ],
  traceparent: `00-${TRACE}-b7ad6b7169203331-01`,
};

test("the caller's trace goes on: the RPC, and its stages below what they are part of", () => {
  const spans = toSpans(rpc, 'unavailable', 100, 0);
  const nameOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)?.name ?? id;
  const tree = spans.map(({ name, parentSpanId, tookMs }) => [name, nameOf(parentSpanId), tookMs]);
  expect(tree).toEqual([
    ['RunPodSandbox', 'b7ad6b7169203331', 100],
    ['run pod sandbox', 'RunPodSandbox', 90],
    ['cni add bridge', 'run pod sandbox', 20],
    ['cni add portmap', 'run pod sandbox', 20],
    ['answer', 'RunPodSandbox', 5],
  ]);
  expect([...new Set(spans.map(({ traceId }) => traceId))]).toEqual([TRACE]);
  expect(spans[0]).toMatchObject({ isServer: true, error: 'unavailable' });
});

test('a caller that does not want a trace has none', () => {
  expect(toSpans({ ...rpc, traceparent: `00-${TRACE}-b7ad6b7169203331-00` }, 'ok', 1, 1000)).toEqual([]);
});

test.each(['', 'x', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `ff-${TRACE}-b7ad6b7169203331-01`])(
  'without a trace, or with "%s", one begins as often as it is to',
  (traceparent) => {
    expect(toSpans({ ...rpc, traceparent }, 'ok', 1, 0)).toEqual([]);
    const [own] = toSpans({ ...rpc, traceparent }, 'ok', 1, 1000);
    expect(own?.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(own?.parentSpanId).toBeUndefined();
  },
);
