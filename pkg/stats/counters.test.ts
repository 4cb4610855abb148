import { expect, test } from 'vitest';
import { counterOf, parsePressure, toCount, toLimit } from './counters.ts';

test('a counter is found by its whole name, wherever it stands', () => {
  const text = 'rss 1\ntotal_rss 2\nrss_huge 3\nlast 18446744073709551615';

  const found = ['rss', 'total_rss', 'rss_huge', 'last', 'huge'].map((name) => counterOf(text, name));

  expect(found).toEqual([1n, 2n, 3n, 18_446_744_073_709_551_615n, 0n]);
});

test.each([
  ['max\n', undefined],
  ['-1\n', undefined],
  ['9223372036854771712\n', undefined],
  [undefined, undefined],
  ['0\n', 0n],
  ['4096\n', 4096n],
])('a limit of %j is %s', (text, limit) => {
  expect(toLimit(text)).toBe(limit);
});

test('a number that is none counts 0', () => {
  expect([toCount(undefined), toCount('max'), toCount(' 12\n')]).toEqual([0n, 0n, 12n]);
});

test('pressure without the line "full", as old kernels write it for processors, is never full', () => {
  expect(parsePressure('some avg10=50.22 avg60=19.61 avg300=13.99 total=193429281\n')).toEqual({
    some: { totalUs: 193_429_281n, avg10: 50.22, avg60: 19.61, avg300: 13.99 },
    full: { totalUs: 0n, avg10: 0, avg60: 0, avg300: 0 },
  });
  expect(parsePressure(undefined)).toBeUndefined();
});
