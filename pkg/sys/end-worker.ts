// How worker threads end: by their own will. One that is cut off while it loads a native module (koffi) takes the
// whole process with it, and nobody sees from outside when that is.

import type { Worker } from 'node:worker_threads';

/** A worker that is told so calls `process.exit()`, which in a thread ends the thread. */
export const QUIT = { kind: 'quit' } as const;

/** Only a thread that hangs takes as long; then nothing else is left. */
const PATIENCE_MS = 60_000;

/** When it returns, the thread has ended. One that is still starting ends as soon as it has. */
export async function endWorker(worker: Worker, patienceMs: number = PATIENCE_MS): Promise<void> {
  if (worker.threadId === -1) return; // it has ended
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  worker.ref(); // whoever waits does so until it has ended
  worker.postMessage(QUIT);
  const timer = setTimeout(() => void worker.terminate(), patienceMs); // `exited` tells
  await exited;
  clearTimeout(timer);
}
