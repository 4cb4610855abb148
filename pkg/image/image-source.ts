// An image that is to be installed: what a registry or an archive says of it, verified, and where its layers
// are to be had.

import type { BlobSource } from './blob-source.ts';
import { toChainIds, type Digest } from './digest.ts';
import type { ImageConfig } from './image-config.ts';
import type { WantedLayer } from './layer.ts';

export interface ImageSource {
  /** Of the config, which is the image's id. */
  readonly configDigest: Digest;
  readonly config: ImageConfig;
  readonly layers: readonly WantedLayer[];
  /** Of the layers as they come, and the config. */
  readonly sizeBytes: number;
  readonly blobs: BlobSource;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
}

/** The layers of an image, from what its manifest and its config say of them: as many of each. */
export function toWantedLayers(config: ImageConfig, blobs: readonly WantedLayer['blob'][]): WantedLayer[] {
  const chainIds = toChainIds(config.diffIds);
  return blobs.flatMap((blob, index) => {
    const [chainId, diffId] = [chainIds[index], config.diffIds[index]];
    return chainId === undefined || diffId === undefined ? [] : [{ chainId, diffId, blob }];
  });
}
