import { expect, test } from 'vitest';
import { SingleFlight } from './single-flight.ts';

const forever = new AbortController().signal;

function setUp() {
  const flights = new SingleFlight<string, number>();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const signals: AbortSignal[] = [];
  const work = (signal: AbortSignal) => {
    signals.push(signal);
    return promise;
  };
  return { flights, resolve, reject, signals, work };
}

test('who asks while the work goes on gets the same result, and the work is done once', async () => {
  const { flights, resolve, signals, work } = setUp();
  const both = [flights.do('a', forever, work), flights.do('a', forever, work)];
  resolve(7);
  expect(await Promise.all(both)).toEqual([7, 7]);
  expect({ times: signals.length, left: flights.size }).toEqual({ times: 1, left: 0 });
});

test('one who leaves does not cost the others their result', async () => {
  const { flights, resolve, signals, work } = setUp();
  const caller = new AbortController();
  const leaves = flights.do('a', caller.signal, work);
  const stays = flights.do('a', forever, work);
  caller.abort(new Error('left'));
  await expect(leaves).rejects.toThrow('left');
  resolve(7);
  expect({ result: await stays, aborted: signals[0]?.aborted }).toEqual({ result: 7, aborted: false });
});

test('when the last one leaves the work is aborted, and the next one begins anew', async () => {
  const { flights, signals, work } = setUp();
  const caller = new AbortController();
  const leaves = flights.do('a', caller.signal, work);
  caller.abort(new Error('left'));
  await expect(leaves).rejects.toThrow('left');
  expect(signals[0]?.aborted).toBe(true);
  expect(await flights.do('a', forever, () => Promise.resolve(8))).toBe(8);
});

test('a failure reaches everyone who waits', async () => {
  const { flights, reject, work } = setUp();
  const both = [flights.do('a', forever, work), flights.do('a', forever, work)];
  reject(new Error('broken'));
  for (const one of both) await expect(one).rejects.toThrow('broken');
});
