import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FairRate } from './fair-rate.ts';
import type { Party } from './fair-slots.ts';

const forever = new AbortController().signal;
const KILOBYTE = Buffer.alloc(1000);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) yield await Promise.resolve(KILOBYTE);
}

/** Reads as fast as it may, in so many streams. */
function reader(rate: FairRate, party: Party, streams = 1): { readonly bytes: number } {
  const counted = { bytes: 0 };
  for (let stream = 0; stream < streams; stream++) {
    void (async () => {
      for await (const chunk of rate.limit(endless(), () => [party], forever)) counted.bytes += chunk.length;
    })();
  }
  return counted;
}

test('all together get what the limit says', async () => {
  const rate = new FairRate(10_000);
  const readers = [reader(rate, { isUrgent: false }, 3), reader(rate, { isUrgent: false })];
  await vi.advanceTimersByTimeAsync(10_000);
  const bytes = readers.reduce((sum, each) => sum + each.bytes, 0);
  expect(bytes).toBeGreaterThan(98_000);
  expect(bytes).toBeLessThan(103_000);
});

test('a party with many streams gets no more than one with few', async () => {
  const rate = new FairRate(100_000);
  const big = reader(rate, { isUrgent: false }, 6);
  await vi.advanceTimersByTimeAsync(5000);
  const before = big.bytes;
  const small = reader(rate, { isUrgent: false });
  await vi.advanceTimersByTimeAsync(5000);
  expect(small.bytes / (big.bytes - before)).toBeGreaterThan(0.95);
  expect(small.bytes / (big.bytes - before)).toBeLessThan(1.05);
});

test('an urgent party gets more, and the others are not left without', async () => {
  const rate = new FairRate(100_000);
  const [other, urgent] = [reader(rate, { isUrgent: false }), reader(rate, { isUrgent: true }, 4)];
  await vi.advanceTimersByTimeAsync(5000);
  expect(urgent.bytes / other.bytes).toBeGreaterThan(3.5);
  expect(urgent.bytes / other.bytes).toBeLessThan(4.5);
});

test('who leaves while it waits is told so, and costs the others nothing', async () => {
  const rate = new FairRate(1000);
  const caller = new AbortController();
  const parties = () => [{ isUrgent: false }];
  const first = rate.limit(endless(), parties, forever);
  await first.next();
  const leaving = rate.limit(endless(), parties, caller.signal).next();
  const staying = rate.limit(endless(), parties, forever).next();
  caller.abort(new Error('left'));
  await expect(leaving).rejects.toThrow('left');
  await vi.advanceTimersByTimeAsync(1000);
  expect((await staying).value).toBe(KILOBYTE);
});
