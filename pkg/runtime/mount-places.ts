// Where the mounts of a container really go: links of its image, or of its volumes, lead them elsewhere than they say.
// What lies at /proc, /sys and /dev the runtime itself works with while it makes the container, as root of the node,
// so nothing of an image or of a volume may lie there. runc refuses some of it, crun nothing.

import { statfs } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from '../sys/errno.ts';
import { followLinks } from '../sys/links-in-root.ts';
import type { OciMount } from './oci-spec.ts';

export interface MountPlacesInput {
  /** The image, mounted. */
  readonly rootfs: string;
  /** In the order in which they will be mounted. */
  readonly mounts: readonly OciMount[];
  /** It may have any directory as its /dev. */
  readonly privileged: boolean;
}

/** @throws {Fault} failed_precondition — one would take the place of something that a runtime relies on */
export async function checkMountPlaces({ rootfs, mounts, privileged }: MountPlacesInput): Promise<void> {
  const volumes = new Map<string, string>();
  for (const mount of mounts) {
    const place = await placeOf(mount, rootfs, volumes);
    const why = await findRefusal(mount, place, privileged);
    if (why !== undefined) {
      const at = place === mount.destination ? '' : `, which leads to "${place}"`;
      throw new Fault('failed_precondition', `cannot mount at "${mount.destination}"${at}: ${why}`);
    }
    if (mount.type === 'bind') volumes.set(place, mount.source);
  }
}

/** Directories of every container, of which the image's are never seen. */
const OF_THE_RUNTIME = ['/proc', '/sys', '/dev'];

async function placeOf(
  { destination }: OciMount,
  rootfs: string,
  volumes: ReadonlyMap<string, string>,
): Promise<string> {
  try {
    return await followLinks(destination, (inside) => toHost(inside, rootfs, volumes));
  } catch (cause) {
    if (!isErrno(cause, 'ELOOP', 'ENAMETOOLONG')) throw cause;
    throw new Fault('failed_precondition', `cannot mount at "${destination}": it leads nowhere`, { cause });
  }
}

/** The innermost volume that has it, or the image. */
function toHost(inside: string, rootfs: string, volumes: ReadonlyMap<string, string>): string | undefined {
  if (OF_THE_RUNTIME.some((dir) => isWithin(inside, dir))) return undefined;
  for (let above = inside; above !== '/'; above = posix.dirname(above)) {
    const source = volumes.get(above);
    if (source !== undefined) return join(source, inside.slice(above.length));
  }
  return join(rootfs, inside);
}

async function findRefusal(mount: OciMount, place: string, privileged: boolean): Promise<string | undefined> {
  if (place === '/') return 'nothing takes the place of the root';
  if (isWithin(place, '/proc'))
    return (await mayBeInProc(mount, place)) ? undefined : 'nothing is mounted in /proc';
  if (place !== mount.destination && OF_THE_RUNTIME.some((dir) => isWithin(place, dir)))
    return 'no link leads a mount there';
  return place === '/dev' && !privileged && isForeign(mount)
    ? 'only the /dev of the node takes the place of that of the container'
    : undefined;
}

async function mayBeInProc({ type, source }: OciMount, place: string): Promise<boolean> {
  if (place === '/proc') return type === 'proc' || (await isProcfs(source));
  return EMULATED.includes(place);
}

function isForeign({ type, source }: OciMount): boolean {
  return type === 'bind' && source !== '/dev';
}

/** What lxcfs shows in place of the files of the kernel. Source: `checkProcMount()` of runc. */
const EMULATED = [
  '/proc/cpuinfo',
  '/proc/diskstats',
  '/proc/meminfo',
  '/proc/stat',
  '/proc/swaps',
  '/proc/uptime',
  '/proc/loadavg',
  '/proc/slabinfo',
  '/proc/net/dev',
  '/proc/sys/kernel/ns_last_pid',
];

/** Source: statfs(2). */
const PROC_SUPER_MAGIC = 0x9fa0;

async function isProcfs(path: string): Promise<boolean> {
  return (await statfs(path)).type === PROC_SUPER_MAGIC;
}

function isWithin(path: string, dir: string): boolean {
  return path === dir || path.startsWith(`${dir}/`);
}
