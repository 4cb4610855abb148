import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FairSlots, type Party } from './fair-slots.ts';

const forever = new AbortController().signal;
const party = (isUrgent = false): Party => ({ isUrgent });

/** Asks for a slot; the name is noted when it is there. */
class Queue {
  readonly order: string[] = [];
  readonly held = new Map<string, Disposable>();
  readonly slots: FairSlots;

  constructor(slots: number) {
    this.slots = new FairSlots(slots);
  }

  ask(name: string, ...parties: Party[]): void {
    void this.slots
      .acquire(() => parties, forever)
      .then((slot) => {
        this.order.push(name);
        this.held.set(name, slot);
      });
  }

  async release(name: string): Promise<void> {
    this.held.get(name)?.[Symbol.dispose]();
    await tick();
  }
}

test('one party may have all slots, and no more', async () => {
  const queue = new Queue(2);
  const big = party();
  for (const name of ['1', '2', '3']) queue.ask(name, big);
  await tick();
  expect([queue.order, queue.slots.waiting]).toEqual([['1', '2'], 1]);
  await queue.release('1');
  await queue.release('1'); // may be given back twice
  expect([queue.order, queue.slots.waiting]).toEqual([['1', '2', '3'], 0]);
});

test('a party that has none does not wait for one that has all', async () => {
  const queue = new Queue(2);
  const [big, small] = [party(), party()];
  for (const name of ['big 1', 'big 2', 'big 3']) queue.ask(name, big);
  for (const name of ['small 1', 'small 2']) queue.ask(name, small);
  await tick();
  expect(queue.order).toEqual(['big 1', 'big 2', 'small 1']);
});

test('however many parties there are, twice the slots are the limit', async () => {
  const queue = new Queue(1);
  for (const name of ['1', '2', '3']) queue.ask(name, party());
  await tick();
  expect(queue.order).toEqual(['1', '2']);
  await queue.release('1');
  expect(queue.order).toEqual(['1', '2', '3']);
});

test('who has fewest is next', async () => {
  const queue = new Queue(4);
  const [big, small] = [party(), party()];
  for (const name of ['big 1', 'big 2']) queue.ask(name, big);
  queue.ask('small 1', small);
  queue.ask('other', party());
  queue.ask('big 3', big);
  queue.ask('small 2', small);
  await queue.release('nothing');
  await queue.release('other');
  expect(queue.order).toEqual(['big 1', 'big 2', 'small 1', 'other', 'small 2']);
});

test('who is urgent goes before others that came first', async () => {
  const queue = new Queue(1);
  const [big, urgent] = [party(), party(true)];
  for (const name of ['big 1', 'big 2']) queue.ask(name, big);
  for (const name of ['urgent 1', 'urgent 2']) queue.ask(name, urgent);
  await tick();
  expect(queue.order).toEqual(['big 1', 'urgent 1']);
  await queue.release('urgent 1');
  await queue.release('big 1');
  expect(queue.order).toEqual(['big 1', 'urgent 1', 'urgent 2', 'big 2']);
});

test('work that another party joins counts for both, and moves on with it', async () => {
  const queue = new Queue(1);
  const [big, small] = [party(), party()];
  queue.ask('big', big);
  const parties = [big];
  void queue.slots.acquire(() => parties, forever).then(() => queue.order.push('joined'));
  await tick();
  expect(queue.order).toEqual(['big']);
  parties.push(small);
  queue.slots.reconsider();
  await tick();
  expect(queue.order).toEqual(['big', 'joined']);
});

test('a place in the queue is given up by who leaves', async () => {
  const slots = new FairSlots(1);
  const big = party();
  const held = await slots.acquire(() => [big], forever);
  const caller = new AbortController();
  const leaves = slots.acquire(() => [big], caller.signal);
  caller.abort(new Error('left'));
  await expect(leaves).rejects.toThrow('left');
  held[Symbol.dispose]();
  using _free = await slots.acquire(() => [big], forever);
  expect(slots.waiting).toBe(0);
});
