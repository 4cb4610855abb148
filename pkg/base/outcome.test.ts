import { expect, test } from 'vitest';
import { Fault } from './fault.ts';
import { observed, type Outcome } from './outcome.ts';

test('observed() tells how work ended, and hands its result or failure on', async () => {
  const seen: Outcome[] = [];
  const observe = (outcome: Outcome, tookMs: number) => {
    seen.push(outcome);
    expect(tookMs).toBeGreaterThanOrEqual(0);
  };
  expect(await observed(observe, () => Promise.resolve(7))).toBe(7);
  const fault = new Fault('unavailable', 'not now');
  await expect(observed(observe, () => Promise.reject(fault))).rejects.toBe(fault);
  await expect(observed(observe, () => Promise.reject(new Error('bug')))).rejects.toThrow('bug');
  await observed(
    observe,
    () => Promise.resolve(7),
    () => 'not_found',
  );
  expect(seen).toEqual(['ok', 'unavailable', 'internal', 'not_found']);
});

test('observed() does the work also when nobody counts', async () => {
  expect(await observed(undefined, () => Promise.resolve(7))).toBe(7);
});
