// ListPulls: the pulls under way, and the last ones. Not part of the CRI; for davitctl.

import type { AdminHandlers } from '../../../api/davit/generated/services.ts';
import type { PulledLayerInit, PullInit } from '../../../api/davit/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { LayerRecord, PullRecord } from '../../image/pull-log.ts';
import { parseReference } from '../../image/reference.ts';
import type { ServerDeps } from '../deps.ts';

export function listPulls(deps: Pick<ServerDeps, 'images'>): AdminHandlers<Call>['listPulls'] {
  return (_, { image }) => {
    const wanted = image === '' ? undefined : parseReference(image).toString();
    const pulls = deps.images.pulls.list().filter(({ reference }) => reference === (wanted ?? reference));
    return Promise.resolve({ pulls: pulls.map(toPull) });
  };
}

function toPull({ reference, state, message, startedAtMs, endedAtMs, layers }: PullRecord): PullInit {
  const fetched = layers.filter((layer) => layer.state !== 'shared');
  const sum = (numberOf: (layer: LayerRecord) => number): number =>
    fetched.reduce((total, layer) => total + numberOf(layer), 0);
  const totalBytes = sum(({ sizeBytes }) => sizeBytes);
  const receivedBytes = sum((layer) => layer.receivedBytes);
  const bytesPerSecond = sum((layer) => layer.bytesPerSecond);
  const etaSeconds = bytesPerSecond > 0 ? (totalBytes - receivedBytes) / bytesPerSecond : 0;
  return {
    reference,
    state,
    message,
    startedAt: toNs(startedAtMs),
    endedAt: endedAtMs === undefined ? 0n : toNs(endedAtMs),
    totalBytes: BigInt(totalBytes),
    receivedBytes: BigInt(receivedBytes),
    bytesPerSecond: BigInt(Math.round(bytesPerSecond)),
    eta: BigInt(Math.round(Math.max(0, etaSeconds) * 1e9)),
    layers: layers.map(toLayer),
  };
}

function toLayer(layer: LayerRecord): PulledLayerInit {
  const { digest, state, sizeBytes, receivedBytes, host, retries } = layer;
  return {
    digest,
    state,
    sizeBytes: BigInt(sizeBytes),
    receivedBytes: BigInt(receivedBytes),
    bytesPerSecond: BigInt(Math.round(layer.bytesPerSecond)),
    host,
    retries,
  };
}

function toNs(ms: number): bigint {
  return BigInt(ms) * 1_000_000n;
}
