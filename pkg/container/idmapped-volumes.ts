// Volumes of a container whose pod has users of its own: each is mounted once more in the bundle, where root of the
// pod gets to it, with its ids mapped if they are those of the node. All of them are found from the bundle alone.

import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Fault } from '../base/fault.ts';
import { isErrno } from '../sys/errno.ts';
import { cannotMap, mountIdmapped } from '../sys/idmapped-mount.ts';
import { bindMount, unmount } from '../sys/mount.ts';

export interface IdmappedVolume {
  readonly source: string;
  /** Below `volumesDirectory()`. */
  readonly target: string;
}

/** Nobody but root and the runtime gets here. */
export function volumesDirectory(bundle: string): string {
  return join(bundle, 'idmapped');
}

/** @throws {Fault} failed_precondition — the file system of a volume cannot map ids */
export async function mountVolumes(volumes: readonly IdmappedVolume[], userNamespace: string): Promise<void> {
  for (const volume of volumes) {
    await makeMountPoint(volume);
    try {
      mountIdmapped({ ...volume, userNamespace });
    } catch (cause) {
      if (!cannotMap(cause)) throw cause;
      const message = `cannot map the ids of "${volume.source}": its file system does not support that`;
      throw new Fault('failed_precondition', message, { detail: { path: volume.source }, cause });
    }
  }
}

/**
 * Mounts directories whose ids are those of the pod already.
 *
 * @returns where each is in the bundle
 */
export async function bindVolumes(
  bundle: string,
  directories: readonly (string | undefined)[],
): Promise<(string | undefined)[]> {
  const bound: (string | undefined)[] = [];
  for (const [index, source] of directories.entries()) {
    const target = join(volumesDirectory(bundle), `declared-${index}`);
    bound.push(source === undefined ? undefined : target);
    if (source === undefined) continue;
    await makeMountPoint({ source, target });
    bindMount(source, target);
  }
  return bound;
}

async function makeMountPoint({ source, target }: IdmappedVolume): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o711 });
  if ((await stat(source)).isDirectory()) await mkdir(target, { recursive: true });
  else await writeFile(target, '', { flag: 'a' });
}

/** What they were mounted on stays; nothing being there is fine. */
export async function unmountVolumes(bundle: string): Promise<void> {
  const dir = volumesDirectory(bundle);
  for (const name of await namesIn(dir)) unmount(join(dir, name));
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}
