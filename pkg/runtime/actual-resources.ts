// What a container may really use: what was asked for, where the kernel has made of it what it always makes, else
// what the kernel has. A kubelet compares it with what it asked for, so that rounding must not show.

import type { KernelLimits } from './kernel-limits.ts';
import type { ResourcesInput } from './resources.ts';

/** For the status of a container. What nobody asked for and the kernel does not limit is absent. */
export function actualResources(asked: ResourcesInput, kernel: KernelLimits): ResourcesInput {
  const memory = actualLimit(asked.memoryLimitBytes, kernel.memoryLimitBytes, toPages);
  return {
    ...asked,
    cpuShares: actualShares(asked.cpuShares, kernel),
    cpuQuota: actualLimit(asked.cpuQuota, kernel.cpuQuota),
    cpuPeriod: asked.cpuPeriod === undefined ? undefined : (kernel.cpuPeriod ?? asked.cpuPeriod),
    cpusetCpus: asked.cpusetCpus === undefined ? undefined : (kernel.cpusetCpus ?? asked.cpusetCpus),
    cpusetMems: asked.cpusetMems === undefined ? undefined : (kernel.cpusetMems ?? asked.cpusetMems),
    memoryLimitBytes: memory,
    memorySwapLimitBytes: actualSwap(asked, kernel),
    hugepageLimits: asked.hugepageLimits && kernel.hugepageLimits,
    unified: asked.unified && { ...asked.unified, ...kernel.unified },
  };
}

/**
 * What gives back to a container all that `update` may have changed, when given to the runtime.
 *
 * @param before as the kernel had it then
 */
export function restoringResources(update: ResourcesInput, before: KernelLimits): ResourcesInput {
  const weight: Readonly<Record<string, string>> =
    update.cpuShares === undefined || before.cpuWeight === undefined
      ? {}
      : { 'cpu.weight': String(before.cpuWeight) };
  const unified = { ...before.unified, ...weight };
  return {
    cpuShares: update.cpuShares && before.cpuShares,
    cpuQuota: restoringLimit(update.cpuQuota, before.cpuQuota),
    cpuPeriod: update.cpuPeriod && before.cpuPeriod,
    cpusetCpus: update.cpusetCpus && restoringSet(before.cpusetCpus, before.effectiveCpus),
    cpusetMems: update.cpusetMems && restoringSet(before.cpusetMems, before.effectiveMems),
    memoryLimitBytes: restoringLimit(update.memoryLimitBytes, before.memoryLimitBytes),
    memorySwapLimitBytes: restoringLimit(
      update.memorySwapLimitBytes ?? update.memoryLimitBytes,
      before.memorySwapLimitBytes,
    ),
    hugepageLimits: update.hugepageLimits && before.hugepageLimits,
    unified: Object.keys(unified).length === 0 ? undefined : unified,
  };
}

/**
 * On version 2 a group has no set of its own until one is given to it, which the kernel then does not take away again
 * while there are processes. All that it could use before comes to the same.
 */
function restoringSet(own: string | undefined, effective: string | undefined): string | undefined {
  return own === '' ? effective : own;
}

const NO_LIMIT = -1n;

function restoringLimit(changed: bigint | undefined, before: bigint | undefined): bigint | undefined {
  return changed === undefined ? undefined : (before ?? NO_LIMIT);
}

function actualLimit(
  asked: bigint | undefined,
  kernel: bigint | undefined,
  made: (value: bigint) => bigint = (value) => value,
): bigint | undefined {
  if (asked === undefined) return kernel;
  if (kernel === undefined) return NO_LIMIT;
  return made(asked) === kernel ? asked : kernel;
}

/** A kernel that does not limit swap tells nothing, and then what was asked for has no effect. */
function actualSwap(asked: ResourcesInput, kernel: KernelLimits): bigint | undefined {
  const { memorySwapLimitBytes: wanted } = asked;
  if (wanted === undefined || kernel.memorySwapLimitBytes === undefined) return undefined;
  return actualLimit(wanted, kernel.memorySwapLimitBytes, toPages);
}

const PAGE_BYTES = 4096n;

/** The kernel counts memory in whole pages. */
function toPages(bytes: bigint): bigint {
  return bytes - (bytes % PAGE_BYTES);
}

const [MIN_SHARES, MAX_SHARES, MAX_WEIGHT] = [2n, 262_144n, 10_000n];

/** What a new group has. */
const [DEFAULT_SHARES, DEFAULT_WEIGHT] = [1024n, 100n];

function actualShares(asked: bigint | undefined, { cpuShares, cpuWeight }: KernelLimits): bigint | undefined {
  if (cpuShares !== undefined) {
    if (asked === undefined) return cpuShares === DEFAULT_SHARES ? undefined : cpuShares;
    return clampShares(asked) === cpuShares ? asked : cpuShares;
  }
  if (cpuWeight === undefined) return asked;
  if (asked === undefined) return cpuWeight === DEFAULT_WEIGHT ? undefined : toShares(cpuWeight);
  return weightsOf(asked).includes(cpuWeight) ? asked : toShares(cpuWeight);
}

function clampShares(shares: bigint): bigint {
  return shares < MIN_SHARES ? MIN_SHARES : shares > MAX_SHARES ? MAX_SHARES : shares;
}

/**
 * What runtimes make of shares on version 2: one line through both ends, or since 2025 a curve on which 1024 shares
 * are the weight of 100. Source: ConvertCPUSharesToCgroupV2Value() of opencontainers/cgroups, old and new.
 */
function weightsOf(shares: bigint): bigint[] {
  const clamped = clampShares(shares);
  const exponent = Math.log2(Number(clamped));
  const curve = Math.ceil(10 ** ((exponent * exponent + 125 * exponent) / 612 - 7 / 34));
  return [1n + ((clamped - MIN_SHARES) * (MAX_WEIGHT - 1n)) / (MAX_SHARES - MIN_SHARES), BigInt(curve)];
}

/** Back along the line; where a weight is not what we asked for nobody can say on which way it came. */
function toShares(weight: bigint): bigint {
  return MIN_SHARES + ((weight - 1n) * (MAX_SHARES - MIN_SHARES)) / (MAX_WEIGHT - 1n);
}
