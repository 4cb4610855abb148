import { expect, test } from 'vitest';
import { actualResources, restoringResources } from './actual-resources.ts';
import type { KernelLimits } from './kernel-limits.ts';

const kernel = (limits: Partial<KernelLimits> = {}): KernelLimits => ({
  hugepageLimits: [],
  unified: {},
  ...limits,
});

test.for([
  ['shares', { cpuShares: 512n }, { cpuShares: 512n }],
  ['shares below the least', { cpuShares: 1n }, { cpuShares: 2n }],
  ['shares on the line of version 2', { cpuShares: 1024n }, { cpuWeight: 39n }],
  ['shares on the curve of version 2', { cpuShares: 1024n }, { cpuWeight: 100n }],
  ['few shares of version 2', { cpuShares: 2n }, { cpuWeight: 1n }],
  ['memory that is no whole page', { memoryLimitBytes: 10_000n }, { memoryLimitBytes: 8192n }],
  ['no limit of memory', { memoryLimitBytes: -1n }, {}],
  ['no quota', { cpuQuota: -1n, cpuPeriod: 100_000n }, { cpuPeriod: 100_000n }],
] as const)('%s is told as asked for: the kernel did what it always does', ([, asked, limits]) => {
  expect(actualResources(asked, kernel(limits))).toMatchObject(asked);
});

test.for([
  ['shares', { cpuShares: 512n }, { cpuShares: 600n }, { cpuShares: 600n }],
  ['weight', { cpuShares: 1024n }, { cpuWeight: 10_000n }, { cpuShares: 262_144n }],
  ['memory', { memoryLimitBytes: 8192n }, { memoryLimitBytes: 4096n }, { memoryLimitBytes: 4096n }],
  ['memory without limit', { memoryLimitBytes: 8192n }, {}, { memoryLimitBytes: -1n }],
  ['memory nobody limited', {}, { memoryLimitBytes: 4096n }, { memoryLimitBytes: 4096n }],
  ['processors', { cpusetCpus: '0-3' }, { cpusetCpus: '0-1' }, { cpusetCpus: '0-1' }],
  [
    'a file',
    { unified: { 'memory.high': '1' } },
    { unified: { 'memory.high': '0' } },
    { unified: { 'memory.high': '0' } },
  ],
] as const)('what the kernel has wins: %s', ([, asked, limits, expected]) => {
  expect(actualResources(asked, kernel(limits))).toMatchObject(expected);
});

test('nothing is told of what nobody asked for and the kernel does not limit', () => {
  const limits = kernel({ cpuShares: 1024n, cpuPeriod: 100_000n, cpusetCpus: '0-1', cpusetMems: '0' });
  const told = Object.values(actualResources({}, limits)).filter((value) => value !== undefined);
  expect(told).toEqual([]);
});

test('swap is told only where the kernel limits it', () => {
  const asked = { memoryLimitBytes: 4096n, memorySwapLimitBytes: 8192n };
  const swapless = kernel({ memoryLimitBytes: 4096n });
  expect(actualResources(asked, swapless).memorySwapLimitBytes).toBeUndefined();
  const counted = kernel({ memoryLimitBytes: 4096n, memorySwapLimitBytes: 8192n });
  expect(actualResources(asked, counted).memorySwapLimitBytes).toBe(8192n);
});

test('what restores is what the kernel had, of what was to change and of nothing else', () => {
  const update = { cpuQuota: 20_000n, memoryLimitBytes: 4096n, unified: { 'memory.high': '1' } };
  const before = kernel({ cpuShares: 512n, cpusetCpus: '0', unified: { 'memory.high': 'max' } });
  expect(restoringResources(update, before)).toEqual({
    cpuQuota: -1n,
    memoryLimitBytes: -1n,
    memorySwapLimitBytes: -1n,
    unified: { 'memory.high': 'max' },
  });
});

test('a weight is restored as it was, on whichever way it came from shares', () => {
  expect(restoringResources({ cpuShares: 2n }, kernel({ cpuWeight: 100n }))).toEqual({
    unified: { 'cpu.weight': '100' },
  });
});

test('a set of processors is restored; where there was none, what the group could use before', () => {
  const update = { cpusetCpus: '4000', cpusetMems: '1' };
  const own = kernel({ cpusetCpus: '0', cpusetMems: '0', effectiveCpus: '0', effectiveMems: '0' });
  expect(restoringResources(update, own)).toEqual({ cpusetCpus: '0', cpusetMems: '0' });
  const none = kernel({ cpusetCpus: '', cpusetMems: '', effectiveCpus: '0-3', effectiveMems: '0-1' });
  expect(restoringResources(update, none)).toEqual({ cpusetCpus: '0-3', cpusetMems: '0-1' });
  expect(restoringResources({ cpuQuota: 1n }, none)).toEqual({ cpuQuota: -1n });
});
