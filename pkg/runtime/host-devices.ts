// The device nodes of the host, as a container may get them.

import type { BigIntStats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from '../sys/errno.ts';
import type { DeviceInput } from './devices.ts';

export interface DeviceRequest {
  /** A device node, or a directory: then all nodes in it and below. */
  readonly hostPath: string;
  readonly containerPath: string;
  /** Some of `rwm`. */
  readonly permissions: string;
}

/**
 * What `request` asks for, as it is on the host now.
 *
 * @throws {Fault} invalid_argument — there is no such device, or the permissions are none
 */
export async function readDevices(request: DeviceRequest): Promise<DeviceInput[]> {
  const { hostPath, containerPath, permissions } = request;
  if (!/^[rwm]+$/.test(permissions)) {
    throw new Fault('invalid_argument', `"${permissions}" are not permissions of a device: use r, w and m`);
  }
  const found = await statIfExists(hostPath);
  if (found === undefined) throw new Fault('invalid_argument', `there is no device "${hostPath}"`);
  if (found.isDirectory()) return readDirectory(request);
  const device = toDevice(found, containerPath, permissions);
  if (device === undefined) throw new Fault('invalid_argument', `"${hostPath}" is not a device`);
  return [device];
}

/** All of the host, for privileged containers. What the container has of its own is left out. */
export function readAllDevices(): Promise<DeviceInput[]> {
  return readDirectory({ hostPath: '/dev', containerPath: '/dev', permissions: 'rwm' });
}

/** In /dev: of the container's own, or no devices at all. */
const NOT_OF_THE_HOST: ReadonlySet<string> = new Set([
  'pts',
  'shm',
  'fd',
  'mqueue',
  'console',
  'ptmx',
  '.lxc',
  '.lxd-mounts',
  '.udev',
]);

async function readDirectory({
  hostPath,
  containerPath,
  permissions,
}: DeviceRequest): Promise<DeviceInput[]> {
  const entries = await readdir(hostPath, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !(hostPath === '/dev' && NOT_OF_THE_HOST.has(name)))
      .filter((entry) => !entry.isSymbolicLink())
      .map(async (entry) => {
        const inside = {
          hostPath: join(hostPath, entry.name),
          containerPath: join(containerPath, entry.name),
        };
        if (entry.isDirectory()) return readDirectory({ ...inside, permissions });
        const stats = await statIfExists(inside.hostPath); // it may be unplugged meanwhile
        const device = stats && toDevice(stats, inside.containerPath, permissions);
        return device === undefined ? [] : [device];
      }),
  );
  return found.flat();
}

async function statIfExists(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

function toDevice(stats: BigIntStats, path: string, permissions: string): DeviceInput | undefined {
  const type = stats.isCharacterDevice() ? 'c' : stats.isBlockDevice() ? 'b' : undefined;
  if (type === undefined) return undefined;
  const { rdev } = stats;
  return {
    path,
    type,
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)), // makedev(3)
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
    fileMode: Number(stats.mode & 0o777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    permissions,
  };
}
