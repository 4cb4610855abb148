// Having another process append to a file that it writes from where it is: then others may add to that file too.

import { closeSync, constants } from 'node:fs';
import { isErrno } from './errno.ts';
import { addFileFlag, pidfdGetfd, pidfdOpen } from './libc/process.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

/**
 * What the process writes to this descriptor of its goes to the end of the file from now on.
 *
 * @returns whether that was done: not if the process or the descriptor is gone, or if the kernel is older than 5.6
 */
export async function makeAppend(identity: ProcessIdentity, fd: number): Promise<boolean> {
  using owned = new DisposableStack();
  const own = (opened: number): number => owned.adopt(opened, closeSync);
  try {
    const pidfd = own(pidfdOpen(identity.pid));
    if (!(await isAlive(identity))) return false; // another has its pid now
    addFileFlag(own(pidfdGetfd(pidfd, fd)), constants.O_APPEND);
    return true;
  } catch (error) {
    if (isErrno(error, 'ESRCH', 'EBADF', 'ENOSYS', 'EPERM')) return false;
    throw error;
  }
}
