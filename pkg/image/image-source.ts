// An image that is to be installed: what a registry or an archive says of it, verified, and where its layers
// are to be had.

import { artifactConfig, toArtifactLayers } from './artifact.ts';
import type { BlobSource } from './blob-source.ts';
import { toChainIds, type Digest } from './digest.ts';
import type { ImageConfig } from './image-config.ts';
import type { WantedLayer } from './layer.ts';
import { artifactTypeOf, type Manifest } from './manifest.ts';

export interface ImageSource {
  /** The digest of the config; that of the manifest for an artifact, which has no config of its own. */
  readonly id: Digest;
  /** Set for an artifact. */
  readonly artifactType?: string;
  readonly config: ImageConfig;
  readonly layers: readonly WantedLayer[];
  /** Of the layers as they come, and the config. */
  readonly sizeBytes: number;
  readonly blobs: BlobSource;
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
}

/** What of an artifact its manifest alone says. @param digest of the manifest */
export function toArtifact(
  manifest: Manifest,
  digest: Digest,
  what: string,
): Pick<ImageSource, 'id' | 'artifactType' | 'config' | 'layers' | 'sizeBytes'> {
  const layers = toArtifactLayers(manifest, what);
  const sizeBytes = layers.reduce((sum, { blob }) => sum + blob.size, manifest.config.size);
  return {
    id: digest,
    artifactType: artifactTypeOf(manifest) ?? '',
    config: artifactConfig(manifest),
    layers,
    sizeBytes: Math.max(sizeBytes, 1), // the kubelet takes 0 for a fault
  };
}

/** The layers of an image, from what its manifest and its config say of them: as many of each. */
export function toWantedLayers(config: ImageConfig, blobs: readonly WantedLayer['blob'][]): WantedLayer[] {
  const chainIds = toChainIds(config.diffIds);
  return blobs.flatMap((blob, index) => {
    const [chainId, diffId] = [chainIds[index], config.diffIds[index]];
    return chainId === undefined || diffId === undefined ? [] : [{ chainId, diffId, blob }];
  });
}
