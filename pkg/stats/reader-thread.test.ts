import { expect, test } from 'vitest';
import { eventually } from '../sys/testing/eventually.ts';
import { ReaderThread } from './reader-thread.ts';

test('the thread ends when nothing is asked for a while, and starts again when something is', async () => {
  await using thread = new ReaderThread(20);
  expect(await thread.ask('tree', '/nonexistent')).toBeUndefined();
  await eventually(() => !thread.isRunning);

  expect(await thread.ask('tree', '/nonexistent')).toBeUndefined();
});

test('what cannot be answered is a fault, and does not end the thread', async () => {
  await using thread = new ReaderThread();

  await expect(thread.ask('tree', '/proc/self/\0')).rejects.toMatchObject({ code: 'internal' });

  expect(await thread.ask('tree', '/nonexistent')).toBeUndefined();
});

test('who waits when the thread is ended is told so', async () => {
  const thread = new ReaderThread();
  const waiting = expect(thread.ask('tree', '/usr')).rejects.toMatchObject({ code: 'unavailable' });
  await thread[Symbol.asyncDispose]();
  await waiting;
});
