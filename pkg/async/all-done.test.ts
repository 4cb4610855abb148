import { expect, test } from 'vitest';
import { allDone } from './all-done.ts';

test('allDone() has the answers in their order', async () => {
  expect(await allDone([Promise.resolve(1), Promise.resolve(2)])).toEqual([1, 2]);
});

test('allDone() does not fail before all have ended', async () => {
  const slow = Promise.withResolvers<undefined>();
  let ended = false;
  const done = allDone([Promise.reject(new Error('refused')), slow.promise]).finally(() => {
    ended = true;
  });
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  slow.resolve(undefined);
  await expect(done).rejects.toThrow('refused');
});
