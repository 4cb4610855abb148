// Adds up a directory tree that a container is writing to. It is hostile: names may turn into symbolic links
// between two looks, so that each directory is entered from the one above it, never by a path.
/* eslint-disable no-restricted-syntax -- this runs in the worker, a few milliseconds at a time */

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  opendirSync,
  openSync,
  type Dir,
  type Stats,
} from 'node:fs';
import { isErrno } from '../sys/errno.ts';
import type { TreeUsage } from './usage.ts';

interface OpenDirectory {
  readonly fd: number;
  readonly entries: Dir;
}

/** Deeper ones are not looked into: each level holds two descriptors. */
const MAX_DEPTH = 100;
const BYTES_PER_BLOCK = 512n;

/**
 * Walks `root`, and yields after each entry so that the caller may rest. A file with several names counts once.
 * What is on another file system does not count, nor does what goes away meanwhile.
 *
 * @returns `undefined` if there is no such directory
 */
export function* walkTree(root: string): Generator<undefined, Omit<TreeUsage, 'takenAtNs'> | undefined> {
  const stack: OpenDirectory[] = [];
  try {
    const top = ifThere(() => openDirectory(root));
    if (top === undefined) return undefined;
    stack.push(top);
    const count = new Count(fstatSync(top.fd));
    for (let dir = stack.at(-1); dir !== undefined; dir = stack.at(-1)) {
      advance(stack, dir, count);
      yield;
    }
    return count.usage;
  } finally {
    stack.forEach(close);
  }
}

/** Looks at the next entry of the innermost directory, and leaves it after the last. */
function advance(stack: OpenDirectory[], dir: OpenDirectory, count: Count): void {
  const name = dir.entries.readSync()?.name;
  if (name === undefined) {
    stack.pop();
    close(dir);
    return;
  }
  const below = enter(dir, name, count);
  if (below === undefined) return;
  if (stack.length < MAX_DEPTH) stack.push(below);
  else close(below);
}

/** Counts one entry. @returns it opened, if it is a directory */
function enter({ fd }: OpenDirectory, name: string, count: Count): OpenDirectory | undefined {
  const path = Buffer.from(`/proc/self/fd/${fd}/${name}`, 'latin1'); // names are bytes, whatever they mean
  const stat = ifThere(() => lstatSync(path));
  if (stat === undefined || !count.add(stat) || !stat.isDirectory()) return undefined;
  return ifThere(() => openDirectory(path));
}

class Count {
  readonly #device: number;
  readonly #linked = new Set<number>();
  #blocks = 0n;
  #inodes = 0n;

  constructor(root: Stats) {
    this.#device = root.dev;
    this.add(root);
  }

  get usage(): Omit<TreeUsage, 'takenAtNs'> {
    return { usedBytes: this.#blocks * BYTES_PER_BLOCK, inodes: this.#inodes };
  }

  /** @returns whether it belongs to the tree */
  add(stat: Stats): boolean {
    if (stat.dev !== this.#device) return false;
    if (!stat.isDirectory() && stat.nlink > 1) {
      if (this.#linked.has(stat.ino)) return true;
      this.#linked.add(stat.ino);
    }
    this.#blocks += BigInt(stat.blocks);
    this.#inodes += 1n;
    return true;
  }
}

function openDirectory(path: string | Buffer): OpenDirectory {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    return { fd, entries: opendirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1', bufferSize: 128 }) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function close({ fd, entries }: OpenDirectory): void {
  entries.closeSync();
  closeSync(fd);
}

/** ELOOP, ENOTDIR: it has become something else. ESTALE: the layer below it is gone. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE')) return undefined;
    throw error;
  }
}
