// A worker that loads the C library and waits to be told to end.

import { parentPort } from 'node:worker_threads';
import '../libc/mount.ts';

parentPort?.on('message', () => {
  process.exit();
});
