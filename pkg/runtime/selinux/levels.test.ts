import { expect, test } from 'vitest';
import { Levels } from './levels.ts';

/** Answers with the numbers, one after the other, and then again. */
function numbers(...values: readonly number[]): () => number {
  let at = 0;
  return () => values[at++ % values.length] ?? 0;
}

test('claim() gives two categories in order, and never the same one twice', () => {
  expect(new Levels(numbers(7, 7, 9, 3)).claim(new Set()).level).toBe('s0:c3,c9');
});

test('claim() gives no level that a pod of the records has', () => {
  expect(new Levels(numbers(1, 2, 3, 4)).claim(new Set(['s0:c1,c2'])).level).toBe('s0:c3,c4');
});

test('claim() gives no level that another pod is getting, until that is known from the records', () => {
  const levels = new Levels(numbers(1, 2, 1, 2, 3, 4, 1, 2));
  const first = levels.claim(new Set());
  expect(levels.claim(new Set()).level).toBe('s0:c3,c4');
  first[Symbol.dispose]();
  expect(levels.claim(new Set()).level).toBe('s0:c1,c2');
});

test('claim() gives up when no level is left', () => {
  expect(() => new Levels(numbers(1, 2)).claim(new Set(['s0:c1,c2']))).toThrow('no SELinux level is left');
});

test('claim() leaves the last two categories to files that no pod may use', () => {
  const asked: number[] = [];
  new Levels((below) => asked.push(below)).claim(new Set());
  expect(asked).toEqual([1022, 1022]);
});
