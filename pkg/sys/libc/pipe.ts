// Pipes.

import { O_CLOEXEC } from './flags.ts';
import { check, libc, type C, type Pointer } from './load.ts';

const cPipe2 = libc.func('int pipe2(void *fds, int flags)') as C<[Pointer, number]>;

/** Both ends close on exec. Source: pipe(2). */
export function pipe2(): { readFd: number; writeFd: number } {
  const fds = Buffer.alloc(8);
  check(cPipe2(fds, O_CLOEXEC), 'pipe2');
  return { readFd: fds.readInt32LE(0), writeFd: fds.readInt32LE(4) };
}
