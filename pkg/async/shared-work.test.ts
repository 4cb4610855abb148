import { expect, test } from 'vitest';
import { stage, Timeline } from '../base/timeline.ts';
import type { Call } from '../base/call.ts';
import { testCall } from '../base/testing/call.ts';
import { SharedWork } from './shared-work.ts';

function setUp() {
  const proceed = Promise.withResolvers<undefined>();
  const work = async (call: Call) => {
    {
      using _stage = stage(call, 'first');
      await proceed.promise;
    }
    using _stage = stage(call, 'second');
    await Promise.resolve();
    return 7;
  };
  return { proceed, work, shared: new SharedWork<string, number>('sum') };
}

const caller = () => ({ ...testCall, timeline: new Timeline() });

test('who joins sees the stages of the work, as old as they are', async () => {
  const { proceed, work, shared } = setUp();
  const [one, two] = [caller(), caller()];
  const results = [shared.do('a', one, work), shared.do('a', two, work)];
  expect(two.timeline.openStage()).toEqual(one.timeline.openStage());
  expect(two.timeline.openStages().map(({ name }) => name)).toEqual(['wait for another sum', 'first']);
  proceed.resolve(undefined);
  expect(await Promise.all(results)).toEqual([7, 7]);
  expect(one.timeline.stages().map(({ name }) => name)).toEqual(['first', 'second']);
  expect(two.timeline.stages().map(({ name }) => name)).toEqual(['first', 'wait for another sum', 'second']);
  expect(two.timeline.openStage()).toBeUndefined();
});

test('the one who stays still sees the stages when the first has left', async () => {
  const { proceed, work, shared } = setUp();
  const leaving = new AbortController();
  const [one, two] = [{ ...caller(), signal: leaving.signal }, caller()];
  const [first, second] = [shared.do('a', one, work), shared.do('a', two, work)];
  leaving.abort(new Error('left'));
  await expect(first).rejects.toThrow('left');
  expect([one.timeline.openStage(), two.timeline.openStage()?.name]).toEqual([undefined, 'first']);
  proceed.resolve(undefined);
  expect(await second).toBe(7);
});
