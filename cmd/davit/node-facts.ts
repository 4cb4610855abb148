// What this node is like, found out once at the start.

import type { NodeFacts } from '../../pkg/pod/container-plan.ts';
import type { Config } from '../../pkg/config/config.ts';
import { lowestOomScoreAdj } from '../../pkg/runtime/oom-score.ts';
import type { SeccompOptions } from '../../pkg/runtime/seccomp/select-profile.ts';
import { hasSwapAccounting } from '../../pkg/runtime/swap-accounting.ts';
import { effectiveCapabilities } from '../../pkg/sys/capability.ts';
import type { Cgroups } from '../../pkg/sys/cgroup.ts';

export async function findNodeFacts(config: Config, cgroups: Cgroups): Promise<NodeFacts> {
  const { version } = cgroups;
  const capabilities = await effectiveCapabilities();
  return {
    runDir: config.run,
    cgroup: { driver: config.cgroup.driver, parent: config.cgroup.parent, version },
    capabilities,
    swapAccounting: await hasSwapAccounting(version),
    hugepageAccounting: await cgroups.hasController('hugetlb'),
    lowestOomScoreAdj: await lowestOomScoreAdj(capabilities),
    seccomp: toSeccompOptions(config),
  };
}

function toSeccompOptions({ runtime }: Config): SeccompOptions {
  return {
    unset: runtime.unset_seccomp_profile === 'runtime/default' ? 'runtime_default' : 'unconfined',
    directory: runtime.seccomp_profile_dir,
  };
}
