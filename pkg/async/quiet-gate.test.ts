import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { QuietGate } from './quiet-gate.ts';

const { signal } = testCall;

/** What `promise` has become by now: `undefined` while it waits. */
async function now<T>(promise: Promise<T>): Promise<T | undefined> {
  return await Promise.race([promise, nextTurn(undefined)]);
}

test('who may be together does not wait for each other', async () => {
  const gate = new QuietGate();
  using _one = await gate.together(signal);
  using _two = await gate.together(signal);
});

test('who wants to be alone waits for a quiet moment, and keeps nobody out until then', async () => {
  const gate = new QuietGate();
  const first = await gate.together(signal);
  const alone = gate.alone(signal);
  const second = await gate.together(signal);
  first[Symbol.dispose]();
  expect(await now(alone)).toBeUndefined();
  second[Symbol.dispose]();
  using _alone = await alone;
});

test('who is alone keeps all others out until it goes', async () => {
  const gate = new QuietGate();
  const alone = await gate.alone(signal);
  const [other, together] = [gate.alone(signal), gate.together(signal)];
  expect(await now(Promise.race([other, together]))).toBeUndefined();
  alone[Symbol.dispose]();
  (await Promise.race([other, together]))[Symbol.dispose]();
  (await together)[Symbol.dispose]();
  (await other)[Symbol.dispose]();
});

test('who gives up is not waited for', async () => {
  const gate = new QuietGate();
  const first = await gate.together(signal);
  const caller = new AbortController();
  const alone = gate.alone(caller.signal);
  caller.abort(new Error('gone'));
  await expect(alone).rejects.toThrow('gone');
  first[Symbol.dispose]();
  using _second = await gate.together(signal);
});
