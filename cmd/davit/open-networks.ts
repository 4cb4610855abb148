// The networks of the node: that of [cni], and those of the runtime handlers that have one of their own.

import type { Log } from '../../pkg/base/call.ts';
import type { Config } from '../../pkg/config/config.ts';
import type { OwnMetrics } from '../../pkg/metrics/own-metrics.ts';
import { Networks } from '../../pkg/network/networks.ts';

export interface NodeNetworks {
  readonly common: Networks;
  /** Those that the pods of a handler join. */
  /** Each once. */
  readonly all: readonly Networks[];
  readonly of: (handler: string) => Networks;
}

/** @param owned closes them */
export async function openNetworks(
  { cni, runtime }: Config,
  { log, counts, owned }: { log: Log; counts: OwnMetrics; owned: AsyncDisposableStack },
): Promise<NodeNetworks> {
  const open = async (confDir: string): Promise<Networks> =>
    owned.use(
      await Networks.open({
        confDir,
        binDirs: cni.bin_dirs,
        timeoutMs: cni.timeout_seconds * 1000,
        log,
        observe: (run, outcome, tookMs) => {
          counts.cni(run, outcome, tookMs);
        },
      }),
    );
  const common = await open(cni.conf_dir);
  const byDirectory = new Map([[cni.conf_dir, common]]);
  const byHandler = new Map<string, Networks>();
  for (const [handler, { cni_conf_dir: dir }] of Object.entries(runtime.handlers)) {
    if (dir === '') continue;
    const networks = byDirectory.get(dir) ?? (await open(dir));
    byDirectory.set(dir, networks);
    byHandler.set(handler, networks);
  }
  return { common, all: [...byDirectory.values()], of: (handler) => byHandler.get(handler) ?? common };
}
