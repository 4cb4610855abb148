// Reads the kernel's own account of what is mounted, so that mounting can be repeated safely.

import { readFile } from 'node:fs/promises';
import { Fault } from '../base/fault.ts';

export interface MountPoint {
  readonly target: string;
  /** What of the filesystem is mounted: `/` for all of it. */
  readonly root: string;
  readonly fsType: string;
  readonly source: string;
  /** Of this mount: `ro`, `nosuid`. */
  readonly options: readonly string[];
  /** Of the filesystem: `memory` for a cgroup hierarchy, `lowerdir=…` for an overlay. */
  readonly superOptions: readonly string[];
}

/**
 * Parses the text of `/proc/<pid>/mountinfo`.
 *
 * One line per mount: `36 35 98:0 /root /mnt rw,noatime shared:1 - ext4 /dev/sda1 rw`.
 * The fields after the sixth are optional and end at a lone `-`. Space, tab, newline and
 * backslash in paths are written as `\` and three octal digits.
 * Source: proc_pid_mountinfo(5), Linux man-pages 6.9.
 *
 * @returns in the order of the file: a later mount hides an earlier one
 * @throws {Fault} data_loss — a line has another shape
 */
export function parseMountInfo(text: string): MountPoint[] {
  return text.split('\n').filter(Boolean).map(parseLine);
}

/** What is mounted in our mount namespace. */
export async function listMounts(): Promise<MountPoint[]> {
  return parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8'));
}

/** What is mounted at `dir` and below it. @param dir absolute, without symbolic links */
export async function mountsUnder(dir: string): Promise<MountPoint[]> {
  const mounts = await listMounts();
  return mounts.filter(({ target }) => target === dir || target.startsWith(dir === '/' ? '/' : `${dir}/`));
}

function parseLine(line: string): MountPoint {
  const [head, tail] = line.split(' - ', 2);
  const [, , , root, target, options] = head?.split(' ') ?? [];
  const [fsType, source, superOptions] = tail?.split(' ') ?? [];
  if (
    root === undefined ||
    target === undefined ||
    options === undefined ||
    fsType === undefined ||
    source === undefined
  ) {
    throw new Fault('data_loss', `cannot read mountinfo line: ${line}`);
  }
  return {
    target: unescapeOctal(target),
    root: unescapeOctal(root),
    fsType,
    source: unescapeOctal(source),
    options: options.split(','),
    superOptions: toOptions(superOptions),
  };
}

function toOptions(text = ''): string[] {
  return unescapeOctal(text).split(',').filter(Boolean);
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
