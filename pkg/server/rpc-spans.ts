// One RPC as spans: itself, and below it the stages of its timeline. The caller's trace goes on in it.

import { randomBytes } from 'node:crypto';
import type { Outcome } from '../base/outcome.ts';
import type { Stage } from '../base/timeline.ts';
import type { Span } from '../metrics/span-exporter.ts';

/** An RPC that is over. */
export interface FinishedRpc {
  readonly method: string;
  readonly subject: string;
  readonly startedAtMs: number;
  readonly stages: readonly Stage[];
  /** As the caller sent it: anything. Source: W3C Trace Context. */
  readonly traceparent: string;
}

/**
 * @param sampling of a thousand RPCs that come without a trace, how many begin one
 * @returns nothing if nobody wants it traced
 */
export function toSpans(rpc: FinishedRpc, outcome: Outcome, tookMs: number, sampling: number): Span[] {
  const parent = parseTraceparent(rpc.traceparent);
  const isWanted = parent === undefined ? Math.random() * 1000 < sampling : parent.isSampled;
  if (!isWanted) return [];
  const traceId = parent?.traceId ?? newId(16);
  const spanId = newId(8);
  const own: Span = {
    traceId,
    spanId,
    parentSpanId: parent?.spanId,
    name: rpc.method,
    isServer: true,
    startedAtMs: rpc.startedAtMs,
    tookMs,
    attributes: { 'rpc.system': 'grpc', 'rpc.method': rpc.method, 'davit.subject': rpc.subject },
    error: outcome === 'ok' ? undefined : outcome,
  };
  return [own, ...toStageSpans(rpc.stages, own)];
}

/** A stage is below the last one that began before it and goes on when it begins. */
function toStageSpans(stages: readonly Stage[], root: Span): Span[] {
  const endMs = root.startedAtMs + root.tookMs;
  const open: Span[] = [];
  return stages.map(({ name, startedAtMs, tookMs = Math.max(0, endMs - startedAtMs) }) => {
    while (open.length > 0 && endOf(open.at(-1)) <= startedAtMs) open.pop();
    const span: Span = {
      traceId: root.traceId,
      spanId: newId(8),
      parentSpanId: (open.at(-1) ?? root).spanId,
      name,
      isServer: false,
      startedAtMs,
      tookMs,
      attributes: {},
    };
    open.push(span);
    return span;
  });
}

function endOf(span: Span | undefined): number {
  return span === undefined ? 0 : span.startedAtMs + span.tookMs;
}

interface Parent {
  readonly traceId: string;
  readonly spanId: string;
  readonly isSampled: boolean;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/;

/** @returns `undefined` if it is not as the specification has it, as if there was none */
function parseTraceparent(text: string): Parent | undefined {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(text) ?? [];
  if (!/[1-9a-f]/.test(traceId) || !/[1-9a-f]/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

function newId(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}
