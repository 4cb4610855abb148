// Which volumes an image declares that a container shall have.

import { posix } from 'node:path';
import { Fault } from '../base/fault.ts';
import type { MountInput } from '../runtime/mounts.ts';

/** What becomes of them: a directory of their own, or nothing but what the image has there. */
export type DeclaredVolumeMode = 'bind' | 'ignore';

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

/** @param sources where each is on the host; absent for one that is no directory */
export function toVolumeMounts(
  paths: readonly string[],
  sources: readonly (string | undefined)[],
): MountInput[] {
  return paths.flatMap((destination, index) => {
    const source = sources[index];
    return source === undefined ? [] : [{ source, destination, propagation: 'private' }];
  });
}
