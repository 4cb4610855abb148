import { expect, test } from 'vitest';
import { CpuRates } from './cpu-rate.ts';
import { aUsage } from './testing/usage.ts';

/** What the rates say of one group that has used so many milliseconds at that time. */
function rateAt(rates: CpuRates, atMs: number, usedMs: number): bigint | undefined {
  const takenAtNs = BigInt(atMs) * 1_000_000n;
  const cpu = { ...aUsage.cpu, usageNs: BigInt(usedMs) * 1_000_000n };
  return rates.apply(new Map([['/pod', { ...aUsage, takenAtNs, cpu }]])).get('/pod')?.cpu.nanoCores;
}

test('the rate is known from the second sample on', () => {
  const rates = new CpuRates();
  expect([rateAt(rates, 0, 100), rateAt(rates, 10_000, 2_600), rateAt(rates, 12_000, 6_600)]).toEqual([
    undefined,
    250_000_000n,
    2_000_000_000n,
  ]);
});

test('two samples too close to each other have the same rate, and the next is told from the first of them', () => {
  const rates = new CpuRates();
  rateAt(rates, 0, 0);
  rateAt(rates, 1_000, 500);
  expect([rateAt(rates, 1_001, 501), rateAt(rates, 2_000, 600)]).toEqual([500_000_000n, 100_000_000n]);
});

test('there is no rate from a sample of long ago, nor of a group made anew', () => {
  const rates = new CpuRates();
  rateAt(rates, 0, 1_000);
  expect([rateAt(rates, 121_000, 2_000), rateAt(rates, 122_000, 0)]).toEqual([undefined, undefined]);
});
