// The metrics of the daemon: who counts what, and the listener that tells it. Without an address nothing listens, and
// counting costs next to nothing.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { steadyMs } from '../../pkg/base/clock.ts';
import type { Log } from '../../pkg/base/call.ts';
import { Fault } from '../../pkg/base/fault.ts';
import type { Config } from '../../pkg/config/config.ts';
import type { Container } from '../../pkg/container/container.ts';
import { MetricsListener } from '../../pkg/metrics/listener.ts';
import type { Metrics } from '../../pkg/metrics/metrics.ts';
import type { NodeFacts } from '../../pkg/metrics/node-metrics.ts';
import type { OwnMetrics } from '../../pkg/metrics/own-metrics.ts';
import type { ServerDeps } from '../../pkg/server/deps.ts';
import { claimSocketPath } from '../../pkg/server/socket-path.ts';
import { podExposition } from '../../pkg/server/stats/pod-exposition.ts';

export interface OpenMetricsOptions {
  readonly config: Pick<Config, 'metrics' | 'root'>;
  readonly metrics: Metrics;
  readonly deps: ServerDeps;
  readonly log: Log;
}

/**
 * Listens, if there is an address to listen on.
 *
 * @throws {Fault} unavailable, failed_precondition — the address cannot be had; invalid_argument — a file of TLS
 */
export async function openMetrics(options: OpenMetricsOptions): Promise<AsyncDisposableStack> {
  const { metrics, deps, log } = options;
  const { metrics: config, root } = options.config;
  await using opened = new AsyncDisposableStack();
  const { address } = config;
  if (address === '') return opened.move();
  metrics.follow({
    ...toFacts(deps),
    storeBytes: () => sizeOfFiles(join(root, 'db')),
    loopResolutionMs: config.event_loop_resolution_ms,
  });
  if (address.startsWith('/')) await claimSocketPath(address);
  const tls = await readTls(config);
  const render = async (signal: AbortSignal) =>
    (await metrics.text()) + (await podExposition(deps, { log, signal }));
  const listener = opened.use(await MetricsListener.listen({ address, tls, render, log }));
  log.info({ address: listener.address }, 'serving metrics');
  return opened.move();
}

/** Counts the end of a container, if the change of its record was that. */
export function countExit(
  counts: OwnMetrics,
  before: Container | undefined,
  after: Container | undefined,
): void {
  if (after?.state.phase !== 'exited' || before?.state.phase === 'exited') return;
  counts.containerExit(after.state.reason);
}

/** Of those right in the directory; one that goes meanwhile counts nothing. */
async function sizeOfFiles(dir: string): Promise<number> {
  const names = await readdir(dir);
  const sizes = names.map((name) =>
    stat(join(dir, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((total, size) => total + size, 0);
}

function toFacts({ operations, containers, sandboxes, images }: ServerDeps): Omit<NodeFacts, 'storeBytes'> {
  const ageSeconds = (sinceMs: number) => Math.max(0, (steadyMs() - sinceMs) / 1000);
  return {
    operations: () =>
      operations.list().map(({ method, startedAtMs }) => ({ method, ageSeconds: ageSeconds(startedAtMs) })),
    containers: () => containers.list().map(({ state }) => state.phase),
    sandboxes: () => sandboxes.list().map(({ state }) => state.phase),
    images: () => images.list().length,
    imageBytes: async () => Number((await images.usage()).usedBytes),
  };
}

async function readTls({
  tls_cert: cert,
  tls_key: key,
}: Config['metrics']): Promise<{ cert: string; key: string } | undefined> {
  if (cert === '' || key === '') return undefined;
  return { cert: await readPem(cert), key: await readPem(key) };
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Fault('invalid_argument', `cannot read "${path}" for the metrics`, { cause });
  }
}
