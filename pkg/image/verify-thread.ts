// The main thread's end of verifying one layer: a confined thread that compares it with its inventory.

import { Worker } from 'node:worker_threads';
import { abortable } from '../async/abortable.ts';
import { Fault } from '../base/fault.ts';
import { endWorker } from '../sys/end-worker.ts';
import type { Findings } from './unpack/inventory-check.ts';
import type { FromVerifyWorker, VerifyOrder } from './unpack/verify-worker.ts';
import { verifyWorkerUrl } from './unpack/worker-url.ts';

/** An inventory is read a piece at a time: it takes little, however large the layer. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128 };

/**
 * @throws {Fault} internal — it could not be looked at, which says nothing about the layer
 * @throws the reason of the signal
 */
export async function verifyLayer(order: VerifyOrder, signal: AbortSignal): Promise<Findings> {
  signal.throwIfAborted();
  const worker = new Worker(verifyWorkerUrl(), {
    name: 'davit-verify',
    execArgv: [],
    resourceLimits: RESOURCE_LIMITS,
    workerData: order,
  });
  try {
    return await abortable(answerOf(worker), signal);
  } finally {
    await endWorker(worker);
  }
}

function answerOf(worker: Worker): Promise<Findings> {
  const answer = Promise.withResolvers<Findings>();
  const fail = (why: string) => {
    answer.reject(new Fault('internal', `cannot verify a layer: ${why}`));
  };
  worker.on('message', (message: FromVerifyWorker) => {
    if (message.kind === 'found') answer.resolve(message.findings);
    else fail(message.message);
  });
  worker.on('error', (error) => {
    fail(error instanceof Error ? error.message : String(error));
  });
  worker.on('exit', () => {
    fail('the thread ended');
  });
  answer.promise.catch(() => undefined); // whoever waits may have left
  return answer.promise;
}
