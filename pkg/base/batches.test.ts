import { expect, test } from 'vitest';
import { inBatches } from './batches.ts';

test.each([
  [[], []],
  [[1], [[1]]],
  [
    [1, 2, 3, 4],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    [1, 2, 3],
    [[1, 2], [3]],
  ],
])('%j by twos is %j', (items: number[], batches: number[][]) => {
  expect([...inBatches(items, 2)]).toEqual(batches);
});
