// Which of the points of a call are tried.

import type { Random } from '../random.ts';
import type { Point } from './plan.ts';

/** How many by chance; each effect once; or every point there is. */
export type Amount = `${number}` | 'each' | 'all';

export function choosePoints(trace: readonly Point[], amount: Amount, random: Random): Point[] {
  if (amount === 'all') return [...trace];
  if (amount === 'each') return trace.filter(({ occurrence }) => occurrence === 1);
  const rest = [...trace];
  return Array.from({ length: Math.min(Number(amount), rest.length) }, () => {
    const [point] = rest.splice(random.integer(0, rest.length - 1), 1);
    return point!;
  });
}
