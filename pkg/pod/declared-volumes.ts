// Which volumes an image declares that a container shall have, and what becomes of them.

import { posix } from 'node:path';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';
import { bindVolumes } from '../container/idmapped-volumes.ts';
import { makeDirectories, type DeclaredVolumes } from '../image/declared-volumes.ts';
import type { MountInput } from '../runtime/mounts.ts';
import type { PinnedUsers } from '../sys/user-namespace.ts';

/** A directory of their own, one in the root file system of the container, or nothing but what the image has there. */
export type DeclaredVolumeMode = 'bind' | 'mkdir' | 'ignore';

/** More no author of an image needs. */
const MAX_VOLUMES = 100;

/** Of the runtime: nothing of an image takes their place. */
const NOT_OF_THE_IMAGE = ['/proc', '/sys', '/dev'];

/**
 * The paths of the volumes, without those where something is mounted anyway.
 *
 * @param declared `Volumes` of the image's configuration
 * @throws {Fault} invalid_argument — there are too many
 */
export function declaredVolumes(
  declared: readonly string[],
  mounts: readonly Pick<MountInput, 'destination'>[],
): string[] {
  const taken = new Set(mounts.map(({ destination }) => posix.resolve('/', destination)));
  const paths = new Set(
    declared.filter((path) => !path.includes('\0')).map((path) => posix.resolve('/', path)),
  );
  const wanted = [...paths].filter((path) => path !== '/' && !taken.has(path) && !isOfRuntime(path)).sort();
  if (wanted.length <= MAX_VOLUMES) return wanted;
  throw new Fault(
    'invalid_argument',
    `the image declares ${wanted.length} volumes, more than ${MAX_VOLUMES}`,
  );
}

function isOfRuntime(path: string): boolean {
  return NOT_OF_THE_IMAGE.some((dir) => path === dir || path.startsWith(`${dir}/`));
}

export interface DeclaredVolumesRequest {
  readonly mode: DeclaredVolumeMode;
  /** Of the container, which does not run yet. */
  readonly rootfs: string;
  /** `declaredVolumes()` */
  readonly paths: readonly string[];
  /** Of the pod, if they are not those of the node. */
  readonly users: PinnedUsers | undefined;
  readonly bundle: string;
}

export interface MadeVolumes {
  /** On the host. */
  readonly directories: readonly string[];
  readonly mounts: readonly MountInput[];
}

/** May be repeated. @throws {Fault} resource_exhausted — the disk is full; invalid_argument — one cannot be made */
export async function makeDeclaredVolumes(
  volumes: Pick<DeclaredVolumes, 'make'>,
  call: Call,
  id: ContainerId,
  { mode, rootfs, paths, users, bundle }: DeclaredVolumesRequest,
): Promise<MadeVolumes> {
  const request = { rootfs, paths, ownerId: users?.mapping.hostId ?? 0 };
  if (mode === 'mkdir') await makeDirectories(request);
  if (mode !== 'bind') return { directories: [], mounts: [] };
  const made = await volumes.make(call, id, request);
  const sources = users === undefined ? made : await bindVolumes(bundle, made);
  return {
    directories: made.filter((path) => path !== undefined),
    mounts: paths.flatMap((destination, index) => {
      const source = sources[index];
      return source === undefined ? [] : [{ source, destination, propagation: 'private' }];
    }),
  };
}
