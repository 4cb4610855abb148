import { expect, test } from 'vitest';
import { parseRetryAfter } from './retry.ts';

const now = Date.parse('Fri, 31 Dec 1999 23:59:50 GMT');

test.each([
  ['3', 3000],
  ['0', 0],
  ['Fri, 31 Dec 1999 23:59:59 GMT', 9000],
  ['Fri, 31 Dec 1999 23:59:00 GMT', 0],
  ['Sat, 01 Jan 2000 23:59:59 GMT', 10_000],
  ['86400', 10_000],
  ['', 0],
  ['soon', 0],
])('Retry-After "%s" is %i ms', (text, ms) => {
  expect(parseRetryAfter(text, now)).toBe(ms);
});
