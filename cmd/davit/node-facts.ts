// What this node is like, found out once at the start.

import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { background, type Log } from '../../pkg/base/call.ts';
import { findIdmapProblem } from '../../pkg/image/idmap-probe.ts';
import type { NodeFacts } from '../../pkg/pod/container-plan.ts';
import type { Config } from '../../pkg/config/config.ts';
import type { KernelFeatures } from '../../pkg/runtime/handler-features.ts';
import { lowestOomScoreAdj } from '../../pkg/runtime/oom-score.ts';
import type { SeccompOptions } from '../../pkg/runtime/seccomp/select-profile.ts';
import { hasSwapAccounting } from '../../pkg/runtime/swap-accounting.ts';
import { effectiveCapabilities } from '../../pkg/sys/capability.ts';
import type { Cgroups } from '../../pkg/sys/cgroup.ts';
import { supportsMountSetattr } from '../../pkg/sys/mount.ts';

export async function findNodeFacts(config: Config, cgroups: Cgroups): Promise<NodeFacts> {
  const { version } = cgroups;
  const capabilities = await effectiveCapabilities();
  return {
    runDir: config.run,
    cgroup: { driver: config.cgroup.driver, parent: config.cgroup.parent, version },
    capabilities,
    swapAccounting: await hasSwapAccounting(cgroups),
    hugepageAccounting: await cgroups.hasController('hugetlb'),
    lowestOomScoreAdj: await lowestOomScoreAdj(capabilities),
    seccomp: toSeccompOptions(config),
    imageVolumes: config.runtime.image_volumes,
    classes: { blockio: config.runtime.blockio_classes, resctrl: '/sys/fs/resctrl' },
  };
}

/** A node whose kernel or file system cannot do it runs all other pods. */
export async function findKernelFeatures(config: Config, log: Log): Promise<KernelFeatures> {
  const call = background(log, config.runtime.timeout_seconds * 1000);
  const problem =
    (await findImpassable(config.run)) ?? (await findIdmapProblem(call, config.image.root || config.root));
  if (problem !== undefined) log.warn({ problem }, 'pods cannot have users of their own');
  return { recursiveReadonlyMounts: supportsMountSetattr(), userNamespaces: problem === undefined };
}

/** The runtime goes to the bundle as root of the pod, who is nobody special on the node. */
async function findImpassable(path: string): Promise<string | undefined> {
  if ((await stat(path)).mode & 0o001) return path === '/' ? undefined : await findImpassable(dirname(path));
  return `only its owner may pass "${path}"`;
}

function toSeccompOptions({ runtime }: Config): SeccompOptions {
  return {
    unset: runtime.unset_seccomp_profile === 'runtime/default' ? 'runtime_default' : 'unconfined',
    directory: runtime.seccomp_profile_dir,
  };
}
