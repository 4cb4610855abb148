// CRI's LinuxContainerResources, both ways. In the CRI 0 and '' mean "not said".

import type {
  LinuxContainerResources,
  LinuxContainerResourcesInit,
  LinuxPodSandboxConfig,
} from '../../../api/cri/generated/types.ts';
import type { ResourcesInput } from '../../runtime/resources.ts';
import type { PodResources } from '../../sandbox/update.ts';
import { refuse } from './field.ts';

const CPU_LIST = /^\d+(-\d+)?(,\d+(-\d+)?)*$/;
const PAGE_SIZE = /^\d+[KMG]i?B$/;
const UNIFIED_FILE = /^[a-z]+(\.[\w-]+)+$/;

/** @throws {Fault} invalid_argument — a value that no kernel takes */
export function toResources(wire: LinuxContainerResources): ResourcesInput {
  check(wire);
  return {
    cpuShares: said(wire.cpuShares),
    cpuQuota: said(wire.cpuQuota),
    cpuPeriod: said(wire.cpuPeriod),
    cpusetCpus: wire.cpusetCpus === '' ? undefined : wire.cpusetCpus,
    cpusetMems: wire.cpusetMems === '' ? undefined : wire.cpusetMems,
    memoryLimitBytes: said(wire.memoryLimitInBytes),
    memorySwapLimitBytes: said(wire.memorySwapLimitInBytes),
    hugepageLimits:
      wire.hugepageLimits.length === 0
        ? undefined
        : wire.hugepageLimits.map(({ pageSize, limit }) => ({ pageSize, limitBytes: limit })),
    unified: Object.keys(wire.unified).length === 0 ? undefined : wire.unified,
    oomScoreAdj: said(wire.oomScoreAdj),
  };
}

/** @throws {Fault} as `toResources()` */
export function toPodResources(
  wire: Pick<LinuxPodSandboxConfig, 'resources' | 'overhead'> | undefined,
): PodResources {
  return {
    resources: wire?.resources && toResources(wire.resources),
    overhead: wire?.overhead && toResources(wire.overhead),
  };
}

function check(wire: LinuxContainerResources): void {
  for (const [name, list] of [
    ['cpuset_cpus', wire.cpusetCpus],
    ['cpuset_mems', wire.cpusetMems],
  ] as const) {
    if (list !== '' && !CPU_LIST.test(list))
      throw refuse(`resources.${name}`, list, 'is not a list like "0-3,7"');
  }
  const { oomScoreAdj } = wire;
  if (oomScoreAdj < -1000n || oomScoreAdj > 1000n)
    throw refuse('resources.oom_score_adj', oomScoreAdj, 'is not a number from -1000 to 1000');
  for (const { pageSize } of wire.hugepageLimits) {
    if (!PAGE_SIZE.test(pageSize))
      throw refuse('resources.hugepage_limits.page_size', pageSize, 'is not a size');
  }
  for (const file of Object.keys(wire.unified)) {
    if (!UNIFIED_FILE.test(file)) throw refuse('resources.unified', file, 'is not the name of a cgroup file');
  }
}

export function fromResources(resources: ResourcesInput): LinuxContainerResourcesInit {
  return {
    cpuShares: resources.cpuShares,
    cpuQuota: resources.cpuQuota,
    cpuPeriod: resources.cpuPeriod,
    cpusetCpus: resources.cpusetCpus,
    cpusetMems: resources.cpusetMems,
    memoryLimitInBytes: resources.memoryLimitBytes,
    memorySwapLimitInBytes: resources.memorySwapLimitBytes,
    hugepageLimits: resources.hugepageLimits?.map(({ pageSize, limitBytes }) => ({
      pageSize,
      limit: limitBytes,
    })),
    unified: resources.unified,
    oomScoreAdj: resources.oomScoreAdj,
  };
}

function said(value: bigint): bigint | undefined {
  return value === 0n ? undefined : value;
}
