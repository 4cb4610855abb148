// The main thread's end of relabelling.

import { Worker } from 'node:worker_threads';
import { abortable } from '../../async/abortable.ts';
import type { Call } from '../../base/call.ts';
import { Fault } from '../../base/fault.ts';
import { stage } from '../../base/timeline.ts';
import { endWorker } from '../../sys/end-worker.ts';
import type { Relabelled } from './relabel/relabel.ts';
import type { FromRelabelWorker, RelabelOrder } from './relabel/relabel-worker.ts';

/** Relabelling takes little, however many files there are, but for one directory with all of them. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 256 };

const workerUrl = import.meta.url.endsWith('.ts')
  ? new URL('./relabel/relabel-worker.ts', import.meta.url)
  : new URL('./relabel-worker.mjs', import.meta.url); // bundles lie beside each other

/**
 * Labels each path with all below it, as `relabel()` does; asked again after it was broken off, it goes on.
 *
 * @throws {Fault} as `relabel()` does; internal — the thread ended
 * @throws the reason of the signal
 */
export async function relabelAll(call: Call, order: RelabelOrder): Promise<readonly Relabelled[]> {
  if (order.paths.length === 0) return [];
  call.signal.throwIfAborted();
  using _stage = stage(call, 'relabel for SELinux');
  const worker = new Worker(workerUrl, {
    name: 'davit-relabel',
    execArgv: [],
    trackUnmanagedFds: false, // it closes its own, and Node knows only of some
    resourceLimits: RESOURCE_LIMITS,
    workerData: order,
  });
  try {
    return await abortable(answerOf(worker), call.signal);
  } finally {
    await endWorker(worker);
  }
}

function answerOf(worker: Worker): Promise<readonly Relabelled[]> {
  const answer = Promise.withResolvers<readonly Relabelled[]>();
  const fail = (why: string) => {
    answer.reject(new Fault('internal', `cannot relabel for SELinux: ${why}`));
  };
  worker.on('message', (message: FromRelabelWorker) => {
    if (message.kind === 'relabelled') answer.resolve(message.results);
    else answer.reject(new Fault(message.code, message.message));
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
