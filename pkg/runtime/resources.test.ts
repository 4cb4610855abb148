import { describe, expect, test } from 'vitest';
import { encodeOciJson } from './oci-json.ts';
import { toOciResources } from './resources.ts';

const swapAccounting = { swapAccounting: true };

describe('toOciResources()', () => {
  test('says nothing about what nobody asked for', () => {
    const nothing = { cpuShares: 0n, cpuQuota: 0n, memoryLimitBytes: 0n, cpusetCpus: '', unified: {} };
    expect(toOciResources({}, swapAccounting)).toEqual({ cpu: {}, memory: {} });
    expect(toOciResources(nothing, swapAccounting)).toEqual({ cpu: {}, memory: {} });
  });

  test('carries every limit', () => {
    const input = {
      cpuShares: 512n,
      cpuQuota: -1n,
      cpuPeriod: 100_000n,
      cpusetCpus: '0-1',
      cpusetMems: '0',
      memoryLimitBytes: 1024n,
      memorySwapLimitBytes: 2048n,
      hugepageLimits: [{ pageSize: '2MB', limitBytes: 0n }],
      pidsLimit: 100n,
      unified: { 'memory.high': '1000' },
    };
    expect(toOciResources(input, swapAccounting)).toEqual({
      cpu: { shares: 512n, quota: -1n, period: 100_000n, cpus: '0-1', mems: '0' },
      memory: { limit: 1024n, swap: 2048n },
      hugepageLimits: [{ pageSize: '2MB', limit: 0n }],
      pids: { limit: 100n },
      unified: { 'memory.high': '1000' },
    });
  });

  test('a memory limit without a swap limit means no swap', () => {
    const { memory } = toOciResources({ memoryLimitBytes: 1024n, memorySwapLimitBytes: 0n }, swapAccounting);
    expect(memory).toEqual({ limit: 1024n, swap: 1024n });
  });

  test('leaves huge pages out where the kernel does not limit them', () => {
    const input = { hugepageLimits: [{ pageSize: '2MB', limitBytes: 0n }] };
    const accounting = { swapAccounting: true, hugepageAccounting: false };
    expect(toOciResources(input, accounting)).toEqual({ cpu: {}, memory: {} });
  });

  test('leaves swap out where the kernel does not limit it', () => {
    const input = { memoryLimitBytes: 1024n, memorySwapLimitBytes: 2048n };
    expect(toOciResources(input, { swapAccounting: false }).memory).toEqual({ limit: 1024n });
  });
});

test('encodeOciJson() keeps every digit of a 64-bit number', () => {
  const text = encodeOciJson({ memory: { limit: 9_223_372_036_854_771_712n }, list: [1n, -1n], text: '1' });
  expect(text).toBe('{"memory":{"limit":9223372036854771712},"list":[1,-1],"text":"1"}');
});
