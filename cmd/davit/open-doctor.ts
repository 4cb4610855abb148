// What the doctor of this daemon looks at.

import type { KeyedLock } from '../../pkg/async/keyed-lock.ts';
import type { Log } from '../../pkg/base/call.ts';
import type { ContainerId, SandboxId } from '../../pkg/base/id.ts';
import type { Config } from '../../pkg/config/config.ts';
import type { Images } from '../../pkg/image/images.ts';
import type { OwnMetrics } from '../../pkg/metrics/own-metrics.ts';
import { inspectLayers } from '../../pkg/pod/doctor/damaged-layers.ts';
import { Doctor } from '../../pkg/pod/doctor/doctor.ts';
import { inspectHost } from '../../pkg/pod/doctor/host.ts';
import { inspectContainers, inspectPods, type MissingDeps } from '../../pkg/pod/doctor/missing.ts';
import { collectNetworkGarbage } from '../../pkg/pod/doctor/network-garbage.ts';
import { inspectStrays } from '../../pkg/pod/doctor/strays.ts';
import { inspectUnfinished } from '../../pkg/pod/doctor/unfinished.ts';
import { inspectUnreadable } from '../../pkg/pod/doctor/unreadable.ts';
import type { StopPodDeps } from '../../pkg/pod/stop-pod.ts';
import type { RuntimeHandlers } from '../../pkg/runtime/handlers.ts';
import type { OciCli } from '../../pkg/runtime/runtime-cli.ts';
import type { Quarantine } from '../../pkg/store/quarantine.ts';
import type { Cgroups } from '../../pkg/sys/cgroup.ts';
import type { NodeNetworks } from './open-networks.ts';
import type { Containers, Sandboxes } from './records.ts';

export interface OpenDoctorOptions {
  readonly config: Config;
  readonly log: Log;
  readonly sandboxes: Sandboxes;
  readonly containers: Containers;
  readonly images: Images;
  readonly quarantine: Quarantine;
  readonly handlers: RuntimeHandlers;
  readonly networks: NodeNetworks;
  readonly cgroups: Cgroups;
  readonly counts: OwnMetrics;
  readonly cli: OciCli;
  readonly stop: StopPodDeps;
  readonly isWhole: MissingDeps['isWhole'];
  readonly locks: { readonly sandbox: KeyedLock<SandboxId>; readonly container: KeyedLock<ContainerId> };
}

export function openDoctor(options: OpenDoctorOptions): Doctor {
  const { config, log, sandboxes, containers, quarantine, handlers, cgroups, counts, locks } = options;
  const { root, run: runDir } = config;
  const missing = { root, sandboxes, containers, stop: options.stop, isWhole: options.isWhole };
  const isBusy = (id: string) =>
    locks.sandbox.isHeld(id as SandboxId) || locks.container.isHeld(id as ContainerId);
  const isKnown = (id: string) =>
    containers.find(id as ContainerId) !== undefined ||
    sandboxes.find(id as SandboxId) !== undefined ||
    quarantine.keys().some((key) => key.endsWith(`/${id}`));
  return new Doctor({
    log,
    intervalMs: config.doctor.interval_seconds * 1000,
    observe: (found) => {
      counts.findings(found);
    },
    afterwards: collectNetworkGarbage({
      runDir,
      sandboxes,
      quarantine,
      selected: () => options.networks.all.flatMap((networks) => networks.find() ?? []),
      networks: options.networks.common, // through which pods are attached and detached
    }),
    inspections: [
      inspectUnreadable(quarantine),
      inspectUnfinished({ ...missing, isBusy }),
      inspectPods(missing),
      inspectContainers(missing),
      inspectLayers(options.images),
      inspectStrays({
        root,
        runDir,
        // one that an operator has chosen may be shared with others
        runtimeRoots: handlers
          .list()
          .flatMap((handler) => (handler.root.startsWith(`${runDir}/`) ? [handler.root] : [])),
        handlers: () => handlers.list(),
        cli: options.cli,
        cgroups,
        isKnown,
      }),
      inspectHost({
        root,
        handlers: () => handlers.list(),
        programs: { 'container monitor': config.runtime.monitor, 'init of pods': config.runtime.init },
        cgroups,
        network: () => options.networks.common.status(),
      }),
    ],
  });
}
