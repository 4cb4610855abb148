// Gives a volume the label of a container's files. Its content is a container's, which may exchange directories and
// links meanwhile: every name is looked up in a directory that is held open, and no link is followed. All of it
// happens in a copy of the volume's mount in which nothing else is mounted.

import { closeSync, constants, fstatSync, readdirSync } from 'node:fs';
import { setImmediate as letOthersRun } from 'node:timers/promises';
import { Fault } from '../../../base/fault.ts';
import { isErrno } from '../../../sys/errno.ts';
import {
  getxattr,
  lgetxattr,
  lsetxattr,
  O_PATH,
  openat2,
  RESOLVE_BENEATH,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  setxattr,
} from '../../../sys/libc/file.ts';
import { AT_FDCWD } from '../../../sys/libc/flags.ts';
import { openTreeClone } from '../../../sys/libc/mount.ts';
import { isRefused } from './refused-paths.ts';

export interface RelabelOptions {
  readonly label: string;
  /** Where labels are; tests on kernels without SELinux may give another. */
  readonly attribute?: string;
}

/** `same`: it had that label before. `unsupported`: its file system has no labels of its own. */
export type Relabelled = 'done' | 'same' | 'unsupported';

/**
 * Labels all that is there, and the top last: whoever finds that labelled finds all of it done, but for what was
 * moved in since. So nothing is done then.
 *
 * @param path absolute, without links
 * @throws {Fault} invalid_argument — a part of the node that is never relabelled, or the path is none or has links by now;
 *   failed_precondition — it cannot be labelled
 * @throws the reason of the signal
 */
export async function relabel(
  path: string,
  options: RelabelOptions,
  signal: AbortSignal,
): Promise<Relabelled> {
  const walk = new Walk(options, signal);
  using top = openTop(path);
  try {
    if (walk.isLabelled(top.path)) return 'same';
    if (top.isDirectory) await walk.enter(top.fd, '.');
    setxattr(top.path, walk.attribute, walk.value);
    return 'done';
  } catch (error) {
    if (isErrno(error, 'EOPNOTSUPP', 'ENOTSUP')) return 'unsupported';
    signal.throwIfAborted();
    throw cannotRelabel(path, 'failed_precondition', error);
  }
}

interface Top extends Disposable {
  readonly fd: number;
  readonly isDirectory: boolean;
  /** Leads here whatever becomes of names. */
  readonly path: string;
}

/** In the copy of the mount. */
function openTop(path: string): Top {
  const original = openOriginal(path);
  try {
    if (isRefused(fstatSync(original, { bigint: true })))
      throw new Fault('invalid_argument', `cannot relabel "${path}" for SELinux: that is never done`);
    const fd = openTreeClone(`/proc/self/fd/${original}`);
    return {
      fd,
      isDirectory: fstatSync(fd).isDirectory(),
      path: `/proc/self/fd/${fd}`,
      [Symbol.dispose]: () => {
        closeSync(fd);
      },
    };
  } finally {
    closeSync(original);
  }
}

function openOriginal(path: string): number {
  try {
    const flags = O_PATH | constants.O_NOFOLLOW;
    return openat2(AT_FDCWD, path, { flags, resolve: RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS });
  } catch (cause) {
    throw cannotRelabel(path, 'invalid_argument', cause);
  }
}

function cannotRelabel(
  path: string,
  code: 'invalid_argument' | 'failed_precondition',
  cause: unknown,
): Fault {
  const why = Fault.from(cause).message;
  return new Fault(code, `cannot relabel "${path}" for SELinux: ${why}`, { detail: { path }, cause });
}

function openDirectory(parentFd: number, name: Buffer | string): number | undefined {
  const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
  try {
    return openat2(parentFd, name, { flags, resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}

/** As many directories are held open at a time; nobody has them as deep. */
const MAX_DEPTH = 200;
/** After as many names the thread hears whether it shall end. */
const NAMES_AT_A_TIME = 256;

class Walk {
  readonly attribute: string;
  readonly value: Buffer;
  readonly #signal: AbortSignal;
  #names = 0;

  constructor({ label, attribute = 'security.selinux' }: RelabelOptions, signal: AbortSignal) {
    this.#signal = signal;
    this.attribute = attribute;
    this.value = Buffer.from(label);
  }

  /** @param path followed, if it is a link; it is one of /proc */
  isLabelled(path: string): boolean {
    return this.#isOurs(() => getxattr(path, this.attribute));
  }

  /**
   * Labels what is in the directory `name`, not the directory itself. It may be gone by now, or be a link: then there is
   * nothing in it.
   */
  async enter(parentFd: number, name: Buffer | string, depth = 1): Promise<void> {
    if (depth > MAX_DEPTH)
      throw new Fault('failed_precondition', `it has more than ${MAX_DEPTH} directories in each other`);
    const fd = openDirectory(parentFd, name);
    if (fd === undefined) return;
    try {
      const entries = readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true, encoding: 'buffer' });
      for (const entry of entries) {
        if (entry.isDirectory()) await this.enter(fd, entry.name, depth + 1);
        this.#label(Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), entry.name]));
        await this.#pause();
      }
    } finally {
      closeSync(fd);
    }
  }

  async #pause(): Promise<void> {
    this.#names += 1;
    if (this.#names % NAMES_AT_A_TIME !== 0) return;
    await letOthersRun();
    this.#signal.throwIfAborted();
  }

  /** A link itself, if it is one. */
  #label(path: Buffer): void {
    try {
      if (!this.#isOurs(() => lgetxattr(path, this.attribute))) lsetxattr(path, this.attribute, this.value);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error; // gone meanwhile
    }
  }

  #isOurs(read: () => Buffer): boolean {
    try {
      return read().toString().replace(/\0$/, '') === this.value.toString(); // the kernel ends labels with a zero
    } catch (error) {
      if (isErrno(error, 'ENODATA')) return false;
      throw error;
    }
  }
}
