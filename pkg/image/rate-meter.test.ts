import { expect, test } from 'vitest';
import { RateMeter } from './rate-meter.ts';

test('nothing that came is no rate', () => {
  expect(new RateMeter().bytesPerSecond(1000)).toBe(0);
});

test('a steady stream has its rate, early and late', () => {
  const meter = new RateMeter();
  const rates: number[] = [];
  for (let ms = 100; ms <= 30_000; ms += 100) {
    meter.add(100, ms);
    if (ms === 2000 || ms === 30_000) rates.push(Math.round(meter.bytesPerSecond(ms) / 50) * 50);
  }
  expect(rates).toEqual([1050, 1000]);
});

test('what has stalled slows down to nothing', () => {
  const meter = new RateMeter();
  meter.add(10_000, 1000);
  const rates = [1000, 3000, 5000, 7000].map((ms) => Math.round(meter.bytesPerSecond(ms)));
  expect(rates).toEqual([20_000, 5000, 2500, 0]);
});
