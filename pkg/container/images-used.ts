// Which images a container keeps on the node.

import type { ImageId } from '../base/id.ts';
import type { Container } from './container.ts';

/** The image it is made from, and those that are mounted in it. */
export function imagesUsed({ image, mounts }: Pick<Container, 'image' | 'mounts'>): ReadonlySet<ImageId> {
  const mounted = mounts.flatMap((mount) => (mount.image === undefined ? [] : [mount.image.id]));
  return new Set([image.id, ...mounted]);
}
