// A full disk, told as such.

import { Fault } from '../base/fault.ts';
import { isErrno } from '../sys/errno.ts';

/** @param doing in the infinitive: `pull image "a"` @returns what to throw instead of `error` */
export function explainDisk(error: unknown, doing: string): unknown {
  if (!isErrno(error, 'ENOSPC', 'EDQUOT')) return error;
  return new Fault('resource_exhausted', `cannot ${doing}: the disk is full`, { cause: error });
}
