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
  /** Whether mounts made below show elsewhere, and whether those made elsewhere show here. */
  readonly peers: { readonly shared: boolean; readonly slave: boolean };
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

/** The mount that a file is on. @param path absolute, without symbolic links */
export async function mountOf(path: string): Promise<MountPoint> {
  const above = (await listMounts()).filter(
    ({ target }) => target === '/' || path === target || path.startsWith(`${target}/`),
  );
  const longest = Math.max(...above.map(({ target }) => target.length));
  const found = above.findLast(({ target }) => target.length === longest); // a later one hides an earlier
  if (found === undefined) throw new Fault('internal', `nothing is mounted at or above "${path}"`);
  return found;
}

/** What is mounted at `dir` and below it. @param dir absolute, without symbolic links */
export async function mountsUnder(dir: string): Promise<MountPoint[]> {
  const mounts = await listMounts();
  return mounts.filter(({ target }) => target === dir || target.startsWith(dir === '/' ? '/' : `${dir}/`));
}

function parseLine(line: string): MountPoint {
  const [head, tail] = line.split(' - ', 2);
  const [, , , root, target, options, ...tags] = head?.split(' ') ?? [];
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
    peers: {
      shared: tags.some((tag) => tag.startsWith('shared:')),
      slave: tags.some((tag) => tag.startsWith('master:')),
    },
  };
}

function toOptions(text = ''): string[] {
  return unescapeOctal(text).split(',').filter(Boolean);
}

function unescapeOctal(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
