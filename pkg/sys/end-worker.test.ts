import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { endWorker } from './end-worker.ts';

/** It loads koffi, as the workers of the daemon do. */
const startWorker = () => new Worker(new URL('./testing/quitting.ts', import.meta.url), { execArgv: [] });

test('a thread can be ended at any moment of its start, and before', async () => {
  const workers = Array.from({ length: 12 }, startWorker);
  const endings = workers.map(async (worker, index) => {
    await delay(index * 7);
    await endWorker(worker);
    return worker.threadId;
  });
  expect(new Set(await Promise.all(endings))).toEqual(new Set([-1]));
});

test('ending a thread twice, or one that has ended, does nothing', async () => {
  const worker = startWorker();
  await Promise.all([endWorker(worker), endWorker(worker)]);
  await endWorker(worker);
  expect(worker.threadId).toBe(-1);
});

test('a thread that does not listen is cut off in the end', async () => {
  const worker = new Worker('for (;;);', { eval: true, execArgv: [] });
  await endWorker(worker, 50);
  expect(worker.threadId).toBe(-1);
});
