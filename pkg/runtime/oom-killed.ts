// Whether the kernel killed a process of the container for want of memory, as its shim saw it.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../sys/errno.ts';

/** conmon puts an empty file `oom` into the bundle; it may miss one that came with the container's end. */
export async function oomKilled(bundle: string): Promise<boolean> {
  try {
    await stat(join(bundle, 'oom'));
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
