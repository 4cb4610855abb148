// The body of a worker thread that confines itself to a directory, writes a file and reports what it sees.

import { readdirSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { chdir, chroot, CLONE_FS, unshare } from '../libc/namespace.ts';

unshare(CLONE_FS);
chroot(workerData as string);
chdir('/');
writeFileSync('../../from-worker', '');
parentPort?.postMessage(readdirSync('/'));
