// What each image takes on disk: alone, together with others, and what there is to be gained by removing it.

import type { Digest } from './digest.ts';
import type { Image } from './image.ts';

export interface ImageDiskUsage {
  readonly image: Image;
  /** In layers that no other image has. */
  readonly uniqueBytes: number;
  /** In layers that other images have too. */
  readonly sharedBytes: number;
  /** What removing this image alone gives back: nothing while it is kept. */
  readonly reclaimableBytes: number;
}

export interface DiskUsage {
  readonly images: readonly ImageDiskUsage[];
  /** In all layers, each counted once. */
  readonly totalBytes: number;
  /** What removing all images that are not kept gives back. */
  readonly reclaimableBytes: number;
}

/**
 * @param layers all that are there, also those of no image
 * @param isKept whether there is a reason not to remove the image
 */
export function diskUsage(
  images: readonly Image[],
  layers: readonly { readonly id: Digest; readonly diskBytes: number }[],
  isKept: (image: Image) => boolean,
): DiskUsage {
  const owners = new Map<Digest, Image[]>();
  for (const image of images) {
    for (const id of new Set(image.chainIds)) owners.set(id, [...(owners.get(id) ?? []), image]);
  }
  const bytesOf = (wanted: (holders: readonly Image[]) => boolean): number =>
    layers.reduce((sum, { id, diskBytes }) => sum + (wanted(owners.get(id) ?? []) ? diskBytes : 0), 0);
  return {
    images: images.map((image) => {
      const uniqueBytes = bytesOf((holders) => holders.length === 1 && holders[0] === image);
      const sharedBytes = bytesOf((holders) => holders.length > 1 && holders.includes(image));
      return { image, uniqueBytes, sharedBytes, reclaimableBytes: isKept(image) ? 0 : uniqueBytes };
    }),
    totalBytes: bytesOf(() => true),
    reclaimableBytes: bytesOf((holders) => !holders.some(isKept)),
  };
}
