// What is never relabelled, though a mount asks for it: the node would not work any more.

import { statSync, type BigIntStats } from 'node:fs';
import { isErrno } from '../../../sys/errno.ts';

/** Each with all that is in it; what is below may be asked for. Source: Chcon() of opencontainers/selinux. */
const REFUSED: readonly string[] = [
  '/',
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/etc/passwd',
  '/etc/pki',
  '/etc/shadow',
  '/home',
  '/lib',
  '/lib64',
  '/media',
  '/opt',
  '/proc',
  '/root',
  '/run',
  '/sbin',
  '/srv',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
  '/var/lib',
  '/var/log',
];

/** Whether it is one of those, by whatever name: a bind mount of /etc is /etc. */
export function isRefused({ dev, ino }: BigIntStats): boolean {
  return REFUSED.some((path) => {
    const known = statIfThere(path);
    return known?.dev === dev && known.ino === ino;
  });
}

function statIfThere(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
