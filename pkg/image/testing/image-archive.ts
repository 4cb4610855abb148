// Archives of images, as `davitctl load` takes them, made from scratch.

import { OCI_INDEX } from '../media-types.ts';
import { buildTar, type TarFile } from './tar.ts';
import { buildImage, toDescriptor, type TestImage, type TestImageOptions } from './test-image.ts';

export interface ImageArchiveOptions extends Omit<TestImageOptions, 'layers'> {
  /** What the image contains; or `layers`, the lowest first. */
  readonly files?: readonly TarFile[];
  readonly layers?: TestImageOptions['layers'];
  /** `busybox:1.36`; without one it is known by its id alone. */
  readonly name?: string;
}

/** A tar of an OCI image layout with one image. */
export function buildImageArchive({
  files = [],
  layers = [files],
  name,
  ...rest
}: ImageArchiveOptions): Buffer {
  return toOciArchive(buildImage({ layers, ...rest }), name);
}

export function toOciArchive(image: TestImage, name?: string): Buffer {
  const annotations = name === undefined ? {} : { 'io.containerd.image.name': name };
  const index = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [{ ...toDescriptor(image.manifest), annotations }],
  };
  const blobs = new Map(
    [image.manifest, image.config, ...image.layers].map((blob) => [blob.digest, blob.data]),
  );
  return buildTar([
    { name: 'oci-layout', content: JSON.stringify({ imageLayoutVersion: '1.0.0' }) },
    ...[...blobs].map(([digest, content]) => ({ name: `blobs/${digest.replace(':', '/')}`, content })),
    { name: 'index.json', content: JSON.stringify(index) },
  ]);
}

/** As old versions of `docker save` write it: layers beside a manifest.json, and links for those that are equal. */
export function toDockerArchive(image: TestImage, names: readonly string[]): Buffer {
  const layers = image.layers.map((layer, index) => ({ name: `${index}/layer.tar`, content: layer.data }));
  const manifest = [
    { Config: 'config.json', RepoTags: names, Layers: image.layers.map((_, index) => `link-${index}`) },
  ];
  return buildTar([
    ...layers,
    ...layers.map(({ name }, index) => ({ name: `link-${index}`, kind: 'symlink' as const, linkName: name })),
    { name: 'config.json', content: image.config.data },
    { name: 'manifest.json', content: JSON.stringify(manifest) },
  ]);
}
