// The thread that relabels volumes: there may be millions of files, on a disk that is slow. It ends with its work.

import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { Fault, type FaultCode } from '../../../base/fault.ts';
import { relabel, type Relabelled, type RelabelOptions } from './relabel.ts';

export interface RelabelOrder extends RelabelOptions {
  readonly paths: readonly string[];
}

export type FromRelabelWorker =
  | { readonly kind: 'relabelled'; readonly results: readonly Relabelled[] }
  | { readonly kind: 'failed'; readonly code: FaultCode; readonly message: string };

const port = parentPort;
if (port === null) throw new Error('relabel-worker.ts runs as a worker thread alone');
const say = (message: FromRelabelWorker): void => {
  port.postMessage(message);
};

/** What is held open is closed before the thread ends: descriptors are the daemon's. */
const quitting = new AbortController();
const quit = once(port, 'message').then(() => {
  quitting.abort(); // the only message is QUIT
});

try {
  const { paths, ...options } = workerData as RelabelOrder; // from relabel-thread.ts alone
  const results: Relabelled[] = [];
  for (const path of paths) results.push(await relabel(path, options, quitting.signal));
  say({ kind: 'relabelled', results });
} catch (error) {
  const { code, message } = Fault.from(error);
  say({ kind: 'failed', code, message });
}
await quit;
process.exit();
