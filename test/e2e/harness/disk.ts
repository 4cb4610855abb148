// A small disk for a node, to be filled.

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './place.ts';

/** Mounts an ext4 file system of that size as the root of the daemon. Needs a loop device. */
export function mountDisk({ dir, root }: Place, sizeMiB: number, inodes?: number): void {
  const image = join(dir, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, sizeMiB * 1024 * 1024);
  const limits = inodes === undefined ? [] : ['-N', String(inodes)];
  execFileSync('mkfs.ext4', ['-q', '-F', '-m', '0', '-O', '^has_journal', ...limits, image]);
  mkdirSync(root);
  execFileSync('mount', ['-t', 'ext4', '-o', 'loop', image, root]);
}

export function freeBytes({ root }: Place): number {
  const { bavail, bsize } = statfsSync(root);
  return bavail * bsize;
}

/** Takes what is free, but for so much, until it is disposed. */
export function fillDisk(place: Place, leaveBytes = 0): Disposable {
  const path = join(place.root, 'ballast');
  const bytes = Math.max(0, freeBytes(place) - leaveBytes - SPARE_BYTES);
  execFileSync('fallocate', ['-l', String(bytes), path], { stdio: 'pipe' });
  if (leaveBytes === 0) fillLastBlocks(place);
  return {
    [Symbol.dispose]: () => {
      rmSync(path, { force: true });
      rmSync(`${path}.end`, { force: true });
    },
  };
}

/** What the file system may need to describe the large file. */
const SPARE_BYTES = 256 * 1024;

/** What the file system kept for describing the large file. */
function fillLastBlocks({ root }: Place): void {
  const path = join(root, 'ballast.end');
  for (;;) {
    try {
      writeFileSync(path, Buffer.alloc(1024), { flag: 'a' });
    } catch {
      return;
    }
  }
}

/** Takes all inodes that are free, until it is disposed. */
export function fillInodes({ root }: Place): Disposable {
  const dir = join(root, 'many');
  mkdirSync(dir);
  try {
    for (let index = 0; ; index++) writeFileSync(join(dir, String(index)), '');
  } catch {
    // there are none left
  }
  return {
    [Symbol.dispose]: () => {
      rmSync(dir, { recursive: true });
    },
  };
}
