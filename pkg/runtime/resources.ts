// What a container may use of the node: CRI's terms in, the OCI runtime specification's out. The same for a new
// container and for one that runs.

import type { OciMemory, OciResources } from './oci-spec.ts';

/** What is absent stays as it is; as in the CRI, 0 and '' say no more than absence. */
export interface ResourcesInput {
  readonly cpuShares?: bigint | undefined;
  /** Microseconds of each period; -1 for no limit. */
  readonly cpuQuota?: bigint | undefined;
  readonly cpuPeriod?: bigint | undefined;
  /** `0-3,7` */
  readonly cpusetCpus?: string | undefined;
  readonly cpusetMems?: string | undefined;
  /** -1 for no limit. */
  readonly memoryLimitBytes?: bigint | undefined;
  /** Of memory and swap together. */
  readonly memorySwapLimitBytes?: bigint | undefined;
  readonly hugepageLimits?: readonly { readonly pageSize: string; readonly limitBytes: bigint }[] | undefined;
  readonly pidsLimit?: bigint | undefined;
  /** Of the first process, and what it starts; no limit of a cgroup, so an update leaves it. */
  readonly oomScoreAdj?: bigint | undefined;
  /** Files of cgroup version 2 and what to write into each. */
  readonly unified?: Readonly<Record<string, string>> | undefined;
}

/** Which of the kernel's limits are there for each cgroup. */
export interface Accounting {
  readonly swapAccounting: boolean;
  /** There when absent. */
  readonly hugepageAccounting?: boolean | undefined;
}

/**
 * A memory limit without a swap limit means no swap at all, as Kubernetes expects.
 *
 * Limits that the kernel does not know are left out: a runtime would fail, and a kubelet asks for those of huge pages
 * always. The status tells what became of them.
 */
export function toOciResources(
  input: ResourcesInput,
  { swapAccounting, hugepageAccounting = true }: Accounting,
): OciResources {
  const { unified = {} } = input;
  const hugepageLimits = hugepageAccounting ? (input.hugepageLimits ?? []) : [];
  return {
    cpu: {
      ...given('shares', input.cpuShares),
      ...given('quota', input.cpuQuota),
      ...given('period', input.cpuPeriod),
      ...given('cpus', input.cpusetCpus),
      ...given('mems', input.cpusetMems),
    },
    memory: toOciMemory(input, swapAccounting),
    ...(hugepageLimits.length === 0
      ? {}
      : {
          hugepageLimits: hugepageLimits.map(({ pageSize, limitBytes }) => ({ pageSize, limit: limitBytes })),
        }),
    ...(given('limit', input.pidsLimit).limit === undefined
      ? {}
      : { pids: { limit: input.pidsLimit ?? -1n } }),
    ...(Object.keys(unified).length === 0 ? {} : { unified }),
  };
}

function toOciMemory(
  { memoryLimitBytes, memorySwapLimitBytes }: ResourcesInput,
  swapAccounting: boolean,
): OciMemory {
  const limit = given('limit', memoryLimitBytes);
  if (!swapAccounting) return limit;
  return {
    ...limit,
    ...given(
      'swap',
      memorySwapLimitBytes === 0n ? memoryLimitBytes : (memorySwapLimitBytes ?? memoryLimitBytes),
    ),
  };
}

/** `{ [key]: value }`, or nothing if the value says nothing. */
function given<Key extends string, Value extends bigint | string>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  if (value === undefined || value === 0n || value === '') return {};
  return { [key]: value } as Partial<Record<Key, Value>>; // a computed key widens to string
}
