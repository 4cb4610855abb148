// The limits of a cgroup as the kernel has them, and what of them is said in the CRI's terms.

import type { Cgroups } from '../sys/cgroup.ts';
import type { ResourcesInput } from './resources.ts';

/** What is absent has no limit, or the kernel does not know it. */
export interface KernelLimits {
  /** Version 1. */
  readonly cpuShares?: bigint | undefined;
  /** Version 2. */
  readonly cpuWeight?: bigint | undefined;
  readonly cpuQuota?: bigint | undefined;
  readonly cpuPeriod?: bigint | undefined;
  readonly cpusetCpus?: string | undefined;
  readonly cpusetMems?: string | undefined;
  /** Version 2: what it may use, also without a set of its own. */
  readonly effectiveCpus?: string | undefined;
  readonly effectiveMems?: string | undefined;
  readonly memoryLimitBytes?: bigint | undefined;
  /** Of memory and swap together. */
  readonly memorySwapLimitBytes?: bigint | undefined;
  /** Of the page sizes that were asked for; none where the kernel does not count them. */
  readonly hugepageLimits: readonly { readonly pageSize: string; readonly limitBytes: bigint }[];
  readonly unified: Readonly<Record<string, string>>;
}

type Asked = Pick<ResourcesInput, 'hugepageLimits' | 'unified'>;

/** @param asked which page sizes and files of version 2 to look at */
export async function readKernelLimits(
  cgroups: Pick<Cgroups, 'version' | 'readFile'>,
  path: string,
  asked: Asked,
): Promise<KernelLimits> {
  const read: Read = async (controller, name) => (await cgroups.readFile(path, controller, name))?.trim();
  return cgroups.version === 1 ? await readV1(read, asked) : await readV2(read, asked);
}

type Read = (controller: string, name: string) => Promise<string | undefined>;

async function readV1(read: Read, { hugepageLimits = [] }: Asked): Promise<KernelLimits> {
  const [shares, quota, period, cpus, mems, memory, together] = await Promise.all([
    read('cpu', 'cpu.shares'),
    read('cpu', 'cpu.cfs_quota_us'),
    read('cpu', 'cpu.cfs_period_us'),
    read('cpuset', 'cpuset.cpus'),
    read('cpuset', 'cpuset.mems'),
    read('memory', 'memory.limit_in_bytes'),
    read('memory', 'memory.memsw.limit_in_bytes'),
  ]);
  return {
    cpuShares: toLimit(shares),
    cpuQuota: toLimit(quota),
    cpuPeriod: toLimit(period),
    cpusetCpus: cpus,
    cpusetMems: mems,
    memoryLimitBytes: toLimit(memory),
    memorySwapLimitBytes: toLimit(together),
    hugepageLimits: await readHugepages(hugepageLimits, (size) =>
      read('hugetlb', `hugetlb.${size}.limit_in_bytes`),
    ),
    unified: {},
  };
}

async function readV2(read: Read, { hugepageLimits = [], unified = {} }: Asked): Promise<KernelLimits> {
  const [weight, max = '', cpus, mems, effectiveCpus, effectiveMems, memoryText, swapText] =
    await Promise.all([
      read('cpu', 'cpu.weight'),
      read('cpu', 'cpu.max'),
      read('cpuset', 'cpuset.cpus'),
      read('cpuset', 'cpuset.mems'),
      read('cpuset', 'cpuset.cpus.effective'),
      read('cpuset', 'cpuset.mems.effective'),
      read('memory', 'memory.max'),
      read('memory', 'memory.swap.max'),
    ]);
  const [quota, period] = max.split(' ');
  const [memory, swap] = [toLimit(memoryText), toLimit(swapText)];
  const files = await Promise.all(
    Object.keys(unified).map(async (name) => [name, await read(name.split('.')[0] ?? '', name)] as const),
  );
  return {
    cpuWeight: toLimit(weight),
    cpuQuota: toLimit(quota),
    cpuPeriod: toLimit(period),
    cpusetCpus: cpus,
    cpusetMems: mems,
    effectiveCpus,
    effectiveMems,
    memoryLimitBytes: memory,
    memorySwapLimitBytes: memory === undefined || swap === undefined ? undefined : memory + swap,
    hugepageLimits: await readHugepages(hugepageLimits, (size) => read('hugetlb', `hugetlb.${size}.max`)),
    unified: Object.fromEntries(files.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]]))),
  };
}

async function readHugepages(
  asked: KernelLimits['hugepageLimits'],
  read: (size: string) => Promise<string | undefined>,
): Promise<KernelLimits['hugepageLimits']> {
  const found = await Promise.all(
    asked.map(async ({ pageSize }) => ({ pageSize, text: await read(pageSize) })),
  );
  return found.flatMap(({ pageSize, text }) =>
    text === undefined ? [] : [{ pageSize, limitBytes: toLimit(text) ?? UNLIMITED }],
  );
}

/** Version 1 has no word for "no limit": it is the greatest number of pages, in bytes. */
const UNLIMITED = 1n << 62n;

function toLimit(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined; // `max`, `-1`, or nothing at all
  const value = BigInt(text);
  return value >= UNLIMITED ? undefined : value;
}
