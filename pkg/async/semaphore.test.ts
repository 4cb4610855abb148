import { expect, test } from 'vitest';
import { Semaphore } from './semaphore.ts';

const forever = new AbortController().signal;

test('at most so many hold it at a time, first come first served', async () => {
  const semaphore = new Semaphore(1);
  const order: number[] = [];
  const first = await semaphore.acquire(forever);
  const waiting = [1, 2].map(async (name) => {
    using _slot = await semaphore.acquire(forever);
    order.push(name);
  });
  expect({ order: [...order], waiting: semaphore.waiting }).toEqual({ order: [], waiting: 2 });
  first[Symbol.dispose]();
  first[Symbol.dispose](); // a guard may be disposed twice
  await Promise.all(waiting);
  expect(order).toEqual([1, 2]);
});

test('a place in the queue is given up by who leaves', async () => {
  const semaphore = new Semaphore(1);
  const held = await semaphore.acquire(forever);
  const caller = new AbortController();
  const leaves = semaphore.acquire(caller.signal);
  caller.abort(new Error('left'));
  await expect(leaves).rejects.toThrow('left');
  held[Symbol.dispose]();
  using _free = await semaphore.acquire(forever);
  expect(semaphore.waiting).toBe(0);
});
