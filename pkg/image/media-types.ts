// The types that registries and archives declare, and which of them we take.

export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const OCI_CONFIG = 'application/vnd.oci.image.config.v1+json';
export const OCI_LAYER = 'application/vnd.oci.image.layer.v1.tar';
export const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
export const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_SCHEMA_1 = 'application/vnd.docker.distribution.manifest.v1';

/** What we ask a registry for, the preferred first. */
export const ACCEPTED_MANIFESTS = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST].join(', ');

export function isIndex(mediaType: string): boolean {
  return mediaType === OCI_INDEX || mediaType === DOCKER_LIST;
}

export function isManifest(mediaType: string): boolean {
  return mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST;
}

/** The format of before 2016, in which layers have no digests of their content. */
export function isSchema1(mediaType: string): boolean {
  return mediaType.startsWith(DOCKER_SCHEMA_1);
}

/** Layers that only their vendor may distribute: Windows base layers and the like. */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType.includes('.nondistributable.') || mediaType.includes('.foreign.');
}

/** The config of something that can be run. Some builders do not say what it is. */
export function isImageConfig(mediaType: string): boolean {
  return mediaType === '' || mediaType === OCI_CONFIG || mediaType === DOCKER_CONFIG;
}

/** A tar, whatever its compression: that shows in its first bytes. */
export function isLayer(mediaType: string): boolean {
  return /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)(?:[.+](?:gzip|zstd))?$/.test(
    mediaType,
  );
}
