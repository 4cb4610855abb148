// Indexes and manifests: what an image consists of.

import * as z from 'zod';
import { Fault } from '../base/fault.ts';
import { decode } from '../codec/decode.ts';
import { isDigest } from './digest.ts';
import * as media from './media-types.ts';

/** More than any real image has; an overlay takes 500. */
const MAX_LAYERS = 500;
const MAX_INDEX_ENTRIES = 10_000;

const digest = z.string().refine(isDigest, 'must be a sha256 or sha512 digest');
const annotations = z.record(z.string(), z.string()).nullish();

export const descriptorSchema = z.object({
  mediaType: z.string(),
  digest,
  size: z.int().min(0),
  annotations,
});

const platformSchema = z.object({
  os: z.string().default(''),
  architecture: z.string().default(''),
  variant: z.string().nullish(),
});

const indexEntrySchema = descriptorSchema.extend({
  platform: platformSchema.nullish(),
  artifactType: z.string().nullish(),
});

const indexSchema = z.object({
  mediaType: z.string().nullish(),
  manifests: z.array(indexEntrySchema).max(MAX_INDEX_ENTRIES),
});

const manifestSchema = z.object({
  mediaType: z.string().nullish(),
  artifactType: z.string().nullish(),
  annotations,
  config: descriptorSchema,
  layers: z.array(descriptorSchema).max(MAX_LAYERS),
});

/** What a blob is and how to know it. */
export type Descriptor = z.output<typeof descriptorSchema>;
export type IndexEntry = z.output<typeof indexEntrySchema>;
export type Index = z.output<typeof indexSchema>;
export type Manifest = z.output<typeof manifestSchema>;

/** One of the two, told apart by what the document says of itself. */
export type ManifestOrIndex =
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly index: Index };

/**
 * @param declaredType the type that came with it, for documents that do not name theirs
 * @param what for messages: `manifest of "docker.io/library/busybox:latest"`
 * @throws {Fault} data_loss — it is damaged; unimplemented — it is of a kind that we do not take
 */
export function parseManifest(data: Buffer, declaredType: string, what: string): ManifestOrIndex {
  const json = parseJson(data, what);
  if (isAmbiguous(json))
    throw new Fault('data_loss', `cannot use ${what}: it is both an index and a manifest`);
  const type = typeOf(json) ?? declaredType.split(';')[0]?.trim() ?? '';
  if (media.isSchema1(type) || isSchema1Document(json)) {
    throw new Fault('unimplemented', `cannot use ${what}: it has the old format Docker schema 1`);
  }
  if (media.isIndex(type)) return { kind: 'index', index: decode(indexSchema, json, what, 'data_loss') };
  if (!media.isManifest(type)) throw new Fault('unimplemented', `cannot use ${what}: its type is "${type}"`);
  const manifest = decode(manifestSchema, json, what, 'data_loss');
  checkLayers(manifest, what);
  return { kind: 'manifest', manifest };
}

/**
 * What kind of artifact it is; `undefined` if it is an image. Layers as those of images make an image of it, whatever
 * it says of itself.
 */
export function artifactTypeOf({ artifactType, config, layers }: Manifest): string | undefined {
  const type = artifactType ?? '';
  if (type === '' && media.isImageConfig(config.mediaType)) return undefined;
  const isImage =
    layers.length > 0 && layers.every((layer) => media.isLayer(layer.mediaType) && !isTitled(layer));
  return isImage ? undefined : type === '' ? config.mediaType : type;
}

function isTitled({ annotations: given }: Descriptor): boolean {
  return given?.['org.opencontainers.image.title'] !== undefined;
}

/** The index of an OCI image layout, which need not name its type. @throws {Fault} data_loss */
export function parseLayoutIndex(data: Buffer, what: string): Index {
  return decode(indexSchema, parseJson(data, what), what, 'data_loss');
}

/** @throws {Fault} data_loss */
export function parseJson(data: Buffer, what: string): unknown {
  try {
    return JSON.parse(data.toString()) as unknown;
  } catch (cause) {
    throw new Fault('data_loss', `cannot read ${what}: it is no JSON`, { cause });
  }
}

function typeOf(json: unknown): string | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  if ('mediaType' in json && typeof json.mediaType === 'string' && json.mediaType !== '')
    return json.mediaType;
  return undefined;
}

/** For one reader it is this, for another that. Source: the OCI image specification, CVE-2021-41190. */
function isAmbiguous(json: unknown): boolean {
  return (
    typeof json === 'object' && json !== null && 'manifests' in json && ('layers' in json || 'config' in json)
  );
}

function isSchema1Document(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'schemaVersion' in json && json.schemaVersion === 1;
}

/** Those of an artifact are files, of whatever type. */
function checkLayers(manifest: Manifest, what: string): void {
  if (artifactTypeOf(manifest) !== undefined) return;
  for (const layer of manifest.layers) checkLayer(layer, what);
}

function checkLayer({ mediaType, digest: layer }: Descriptor, what: string): void {
  if (media.isForeignLayer(mediaType)) {
    throw new Fault('unimplemented', `cannot use ${what}: layer "${layer}" is foreign ("${mediaType}")`);
  }
  if (!media.isLayer(mediaType)) {
    throw new Fault('unimplemented', `cannot use ${what}: layer "${layer}" has the type "${mediaType}"`);
  }
}
