// What the kernel says of SELinux: whether a policy is loaded, and whether that knows a label.

import { access, constants, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../sys/errno.ts';

/** Below the root of the node. */
const SELINUXFS = 'sys/fs/selinux';

/**
 * Whether SELinux is on, enforcing or not. A file system that is mounted read-only means that it is none of our
 * business: so containers are told. Source: is_selinux_enabled() of libselinux, which CRI-O and containerd follow.
 */
export async function isEnabled(root: string): Promise<boolean> {
  try {
    await access(join(root, SELINUXFS, 'context'), constants.W_OK);
    const own = await readFile(join(root, 'proc/self/attr/current'), 'utf8');
    return withoutZero(own) !== 'kernel'; // so everything is called while there is no policy
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'EROFS', 'EACCES', 'EINVAL')) return false;
    throw error;
  }
}

/** The label as the kernel writes it, with categories in order; `undefined` if its policy does not know it. */
export async function canonicalLabel(root: string, label: string): Promise<string | undefined> {
  try {
    await using file = await open(join(root, SELINUXFS, 'context'), 'r+');
    await file.write(label);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_LABEL_BYTES), 0, MAX_LABEL_BYTES, 0);
    return withoutZero(buffer.toString('utf8', 0, bytesRead));
  } catch (error) {
    if (isErrno(error, 'EINVAL', 'ERANGE')) return undefined;
    throw error;
  }
}

/** The kernel answers within a page. */
const MAX_LABEL_BYTES = 4096;

function withoutZero(text: string): string {
  return text.replace(/\0+$/, '').trim();
}
