// The life of the daemon: from the lock on its directories to the last RPC answered. Containers outlive it.

import { join } from 'node:path';
import type { Log } from '../../pkg/base/call.ts';
import type { Config } from '../../pkg/config/config.ts';
import { openLog } from '../../pkg/log/log.ts';
import { Metrics } from '../../pkg/metrics/metrics.ts';
import { SpanExporter } from '../../pkg/metrics/span-exporter.ts';
import { toSpans } from '../../pkg/server/rpc-spans.ts';
import { GrpcServer } from '../../pkg/server/serve.ts';
import { services } from '../../pkg/server/services.ts';
import { ensureDirectory } from '../../pkg/sys/files.ts';
import { LockFile } from '../../pkg/sys/lock-file.ts';
import { notifySystemd } from '../../pkg/sys/notify.ts';
import { Daemon } from './daemon.ts';
import { openCadvisor } from './open-cadvisor.ts';
import { openMetrics } from './open-metrics.ts';
import { VERSION } from './version.ts';

/** Only root may look inside: layers and bundles of every pod are in there. */
const PRIVATE = 0o700;
/** Others may pass through to the socket, if they may use that. */
const PASSABLE = 0o711;

/** Runs until SIGTERM or SIGINT. */
export async function serve(config: Config): Promise<void> {
  const log = openLog(config.log.level);
  const stopping = whenAskedToStop();
  process.umask(0o022); // files of pods are read by users of any id; what is private says so itself
  await ensureDirectory(config.root, PRIVATE);
  await ensureDirectory(config.run, PASSABLE);
  using _lock = await LockFile.acquire(join(config.root, 'lock'));
  using metrics = new Metrics(VERSION);
  await using daemon = await Daemon.open(config, log, metrics.own);
  const deps = daemon.serverDeps;
  await using traces = openTraces(config.tracing, log);
  await using server = await GrpcServer.listen({
    socketPath: config.socket,
    services: services(deps),
    operations: deps.operations,
    observe: (method, outcome, tookMs, finished) => {
      metrics.own.rpc(method, outcome, tookMs);
      traces?.add(toSpans(finished(), outcome, tookMs, config.tracing.samples_per_thousand));
    },
    log,
  });
  await using _cadvisor = await openCadvisor(config.cadvisor, deps, log);
  await using _metrics = await openMetrics({ config, metrics, deps, log });
  log.info({ version: VERSION, socket: config.socket, root: config.root }, 'serving');
  notifySystemd('READY=1');
  await daemon.start();
  const signal = await stopping;
  log.info({ signal }, 'stopping; containers go on');
  notifySystemd('STOPPING=1');
  await server.stop();
}

function openTraces({ endpoint }: Config['tracing'], log: Log): SpanExporter | undefined {
  return endpoint === '' ? undefined : new SpanExporter({ endpoint, version: VERSION, log });
}

/** Listens from the first moment on, so that a signal during the start is not lost. */
function whenAskedToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        resolve(signal);
      });
    }
  });
}
