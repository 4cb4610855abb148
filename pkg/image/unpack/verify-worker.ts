// The thread that compares one layer with its inventory, confined to the layer's directory as the one that unpacked
// it: a layer that is damaged, or was meant to do harm, leads nowhere else. It ends with its layer.

import { openSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { Fault } from '../../base/fault.ts';
import type { QUIT } from '../../sys/end-worker.ts';
import { isErrno } from '../../sys/errno.ts';
import { chdir, chroot, CLONE_FS, unshare } from '../../sys/libc/namespace.ts';

import { brokenInventory, checkInventory, DAMAGE, type Depth, type Findings } from './inventory-check.ts';

export interface VerifyOrder {
  readonly directory: string;
  readonly inventory: string;
  /** Of the inventory. */
  readonly digest: string;
  readonly depth: Depth;
}

export type FromVerifyWorker =
  | { readonly kind: 'found'; readonly findings: Findings }
  | { readonly kind: 'failed'; readonly message: string };

/** That of this thread alone: on Linux a thread has its own. */
const LOWEST_PRIORITY = 19;

const port = parentPort;
if (port === null) throw new Error('verify-worker.ts runs as a worker thread alone');
const say = (message: FromVerifyWorker): void => {
  port.postMessage(message);
};

async function verify({ directory, inventory, digest, depth }: VerifyOrder): Promise<Findings> {
  let fd: number;
  try {
    fd = openSync(inventory, 'r');
  } catch (error) {
    if (isErrno(error, ...DAMAGE)) return brokenInventory('cannot be read');
    throw error;
  }
  unshare(CLONE_FS);
  try {
    chroot(directory);
  } catch (error) {
    if (isErrno(error, ...DAMAGE)) return missingDirectory();
    throw error;
  }
  chdir('/');
  return await checkInventory(fd, digest, depth);
}

function missingDirectory(): Findings {
  return {
    files: 0,
    bytes: 0,
    problemCount: 1,
    problems: [{ path: '/', what: 'the directory of the layer is missing' }],
  };
}

port.on('message', (_: typeof QUIT) => process.exit());

try {
  const order = workerData as VerifyOrder; // from verify-thread.ts alone
  if (order.depth === 'content') setPriority(LOWEST_PRIORITY);
  say({ kind: 'found', findings: await verify(order) });
} catch (error) {
  say({ kind: 'failed', message: Fault.from(error).message });
}
