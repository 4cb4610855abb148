import { expect, test } from 'vitest';
import { limitTime } from './time-limit.ts';

const message = (ms: number): string => `nothing for ${ms} ms`;

test('when the time is up it aborts with what was waited for', async () => {
  using limit = limitTime(new AbortController().signal, 1, message);
  await expect.poll(() => limit.signal.aborted).toBe(true);
  expect(limit.signal.reason).toMatchObject({ code: 'deadline_exceeded', message: 'nothing for 1 ms' });
});

test('a caller who leaves sooner ends it with its own reason', () => {
  const caller = new AbortController();
  using limit = limitTime(caller.signal, 60_000, message);
  caller.abort(new Error('left'));
  expect(limit.signal.reason).toEqual(new Error('left'));
});

test.each([undefined, 0, 2 ** 31])('%s is no limit', (limitMs) => {
  using limit = limitTime(new AbortController().signal, limitMs, message);
  expect(limit.signal.aborted).toBe(false);
});
