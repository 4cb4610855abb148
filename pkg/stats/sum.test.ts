import { expect, test } from 'vitest';
import { sumUsages } from './sum.ts';
import { aUsage } from './testing/usage.ts';

test('the parts of a pod are added up, but not their limits and pressures', () => {
  const older = { ...aUsage, takenAtNs: 7n };

  expect(sumUsages([aUsage, older])).toEqual({
    takenAtNs: 7n,
    cpu: {
      usageNs: 4_691_357_802n,
      userNs: 4_000_000_000n,
      systemNs: 680_000_000n,
      nanoCores: 500_000_000n,
    },
    memory: {
      usageBytes: 260_300_800n,
      workingSetBytes: 233_916_008n,
      rssBytes: 180_267_416n,
      pageFaults: 51_783_216n,
      majorPageFaults: 8_512n,
    },
    swap: { usageBytes: 16_384n },
    processes: 6,
  });
});

test('the rate of a sum is not known before that of each part', () => {
  const unrated = { ...aUsage, cpu: { ...aUsage.cpu, nanoCores: undefined } };
  expect(sumUsages([aUsage, unrated])?.cpu.nanoCores).toBeUndefined();
});

test('nothing has no sum', () => {
  expect(sumUsages([])).toBeUndefined();
});
