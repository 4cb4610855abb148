// Artifacts: manifests that are no images. Their layers are files, which a volume shows under the names that their
// annotations give them, as CRI-O does. They cannot be run.
// Source: OCI image specification, "Guidelines for Artifact Usage"; CRI-O, internal/ociartifact.

import { Fault } from '../base/fault.ts';
import { sha256Of, type Digest } from './digest.ts';
import { runConfigSchema, type ImageConfig } from './image-config.ts';
import type { WantedLayer } from './layer.ts';
import { artifactTypeOf, type Descriptor, type Manifest } from './manifest.ts';

/** Where tools write the name of the file in a layer: ORAS, and the model specification of the CNCF. */
const NAME_ANNOTATIONS = ['org.opencontainers.image.title', 'org.cncf.model.filepath'];
const MAX_PATH_BYTES = 4096;
const MAX_NAME_BYTES = 255;
/** What overlayfs would take for something else. */
const WHITEOUT = '.wh.';

/** What stands in the place of a config, of which artifacts have none. */
export function artifactConfig(manifest: Manifest): ImageConfig {
  return {
    run: runConfigSchema.parse({}),
    diffIds: [],
    os: '',
    architecture: '',
    created: manifest.annotations?.['org.opencontainers.image.created'] ?? '',
  };
}

/**
 * One for each file. Layers without a name are left out: nothing can be seen of them in a volume.
 *
 * @param what for messages: `manifest of "docker.io/library/model:1"`
 * @throws {Fault} data_loss — a name is not one, or is there twice; unimplemented — there is no file
 */
export function toArtifactLayers(manifest: Manifest, what: string): WantedLayer[] {
  const layers = manifest.layers.flatMap((blob) => {
    const path = nameOf(blob);
    return path === undefined ? [] : [toWantedLayer(blob, path, what)];
  });
  expectApart(
    layers.map(({ file }) => file ?? ''),
    what,
  );
  if (layers.length > 0) return layers;
  throw new Fault(
    'unimplemented',
    `cannot use ${what}: it is an artifact of type "${artifactTypeOf(manifest) ?? ''}", and none of its layers has the name of a file`,
  );
}

function nameOf({ annotations }: Descriptor): string | undefined {
  return NAME_ANNOTATIONS.map((key) => annotations?.[key] ?? '').find((name) => name !== '');
}

function toWantedLayer(blob: Descriptor, path: string, what: string): WantedLayer {
  if (!isPath(path))
    throw new Fault('data_loss', `cannot use ${what}: ${JSON.stringify(path)} is no name for a file`);
  return { chainId: idOf(path, blob.digest), diffId: blob.digest, blob, file: path };
}

/** The same file under the same name is the same layer, in whatever artifact. */
function idOf(file: string, digest: Digest): Digest {
  return sha256Of(JSON.stringify({ file, digest }));
}

/** `weights/a.bin`, relative and without detours: what is meant by others is anybody's guess. */
function isPath(path: string): boolean {
  const isShort = Buffer.byteLength(path) < MAX_PATH_BYTES;
  return isShort && !path.includes('\0') && path.isWellFormed() && path.split('/').every(isName);
}

function isName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name.startsWith(WHITEOUT)) return false;
  return Buffer.byteLength(name) <= MAX_NAME_BYTES;
}

/** No file has the name of another, or of a directory that another is in. */
function expectApart(paths: readonly string[], what: string): void {
  const files = new Set<string>();
  for (const path of paths) {
    if (files.has(path))
      throw new Fault('data_loss', `cannot use ${what}: the file "${path}" is there twice`);
    files.add(path);
  }
  for (const path of paths) {
    const above = directoriesOf(path).find((directory) => files.has(directory));
    if (above !== undefined)
      throw new Fault('data_loss', `cannot use ${what}: "${above}" is a file, and a directory of "${path}"`);
  }
}

function directoriesOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
