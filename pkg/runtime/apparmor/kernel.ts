// What the kernel says of AppArmor: whether it is on, and which profiles it has.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../sys/errno.ts';

/** @param sys where sysfs is mounted */
export async function isEnabled(sys: string): Promise<boolean> {
  const text = await readIfExists(join(sys, 'module/apparmor/parameters/enabled')); // missing where not built in
  return text.startsWith('Y');
}

/** Whether a profile of that name is loaded, in whatever mode: `davit-default (enforce)` is a line of the list. */
export async function isLoaded(sys: string, name: string): Promise<boolean> {
  const text = await readIfExists(join(sys, 'kernel/security/apparmor/profiles'));
  return text.split('\n').some((line) => line.replace(/ \(\w+\)$/, '') === name);
}

async function readIfExists(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return '';
    throw error;
  }
}
