// An OCI image layout: `index.json`, and blobs named after their digests.
// Source: OCI image specification, image-layout.

import { Fault } from '../../base/fault.ts';
import type { BlobSource } from '../blob-source.ts';
import { algorithmOf, hexOf, verifyDigest, type Digest } from '../digest.ts';
import { parseImageConfig } from '../image-config.ts';
import { toArtifact, toWantedLayers, type ImageSource } from '../image-source.ts';
import {
  artifactTypeOf,
  parseLayoutIndex,
  parseManifest,
  type IndexEntry,
  type Manifest,
} from '../manifest.ts';
import { hostPlatform, selectPlatform } from '../platform.ts';
import { parseReference, toRepoDigest, toRepoTag, type Reference } from '../reference.ts';
import type { ArchiveFiles } from './archive-files.ts';

const MAX_JSON_BYTES = 16 << 20;
const MAX_INDEX_DEPTH = 4;
/** Where builders write under which name an image was saved, the most telling first. */
const NAME_ANNOTATIONS = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];

/** @throws {Fault} data_loss — something is missing or damaged */
export async function readOciLayout(files: ArchiveFiles, signal: AbortSignal): Promise<ImageSource[]> {
  const index = parseLayoutIndex(await files.read('index.json', MAX_JSON_BYTES, signal), '"index.json"');
  const reader: Reader = { files, signal };
  const images: ImageSource[] = [];
  for (const entry of index.manifests) {
    const found = await findManifest(reader, entry, 0);
    if (found !== undefined) images.push(await toSource(reader, entry, found));
  }
  return images;
}

/** The archive, and when to stop reading it. */
interface Reader {
  readonly files: ArchiveFiles;
  readonly signal: AbortSignal;
}

interface FoundManifest {
  readonly manifest: Manifest;
  readonly digest: Digest;
}

/** `undefined`: not for this machine. */
async function findManifest(
  reader: Reader,
  entry: IndexEntry,
  depth: number,
): Promise<FoundManifest | undefined> {
  if (selectPlatform({ manifests: [entry] }, hostPlatform()) === undefined) return undefined;
  const data = await readVerified(reader, entry.digest, 'manifest');
  const parsed = parseManifest(data, entry.mediaType, `manifest "${entry.digest}"`);
  if (parsed.kind === 'manifest') return { manifest: parsed.manifest, digest: entry.digest };
  const inner = selectPlatform(parsed.index, hostPlatform());
  if (inner === undefined || depth >= MAX_INDEX_DEPTH) return undefined;
  return await findManifest(reader, inner, depth + 1);
}

async function toSource(reader: Reader, entry: IndexEntry, found: FoundManifest): Promise<ImageSource> {
  const { manifest, digest } = found;
  const origin = { blobs: blobsOf(reader), ...namesFor(entry) };
  if (artifactTypeOf(manifest) !== undefined)
    return { ...toArtifact(manifest, digest, `manifest "${digest}"`), ...origin };
  const data = await readVerified(reader, manifest.config.digest, 'config');
  const config = parseImageConfig(data, manifest.layers.length, `config "${manifest.config.digest}"`);
  return {
    id: manifest.config.digest,
    config,
    layers: toWantedLayers(config, manifest.layers),
    sizeBytes: manifest.layers.reduce((sum, { size }) => sum + size, data.length),
    ...origin,
  };
}

function blobsOf({ files }: Reader): BlobSource {
  return {
    kind: 'archive',
    open: (blob, signal) => files.stream(pathOf(blob.digest), signal),
    reject: (_, why) => why,
  };
}

function namesFor(entry: IndexEntry): { repoTags: string[]; repoDigests: string[] } {
  const reference = nameOf(entry);
  if (reference === undefined) return { repoTags: [], repoDigests: [] };
  const tag = toRepoTag(reference);
  return { repoTags: tag === undefined ? [] : [tag], repoDigests: [toRepoDigest(reference, entry.digest)] };
}

/** A tag alone names no image. */
function nameOf({ annotations }: IndexEntry): Reference | undefined {
  const names = NAME_ANNOTATIONS.map((key) => annotations?.[key] ?? '');
  const name = names.find((text) => /[:/]/.test(text));
  return name === undefined ? undefined : parseReference(name);
}

async function readVerified({ files, signal }: Reader, digest: Digest, what: string): Promise<Buffer> {
  if (!digest.startsWith('sha256:')) {
    throw new Fault('unimplemented', `cannot use ${what} "${digest}": its digest is not sha256`);
  }
  const data = await files.read(pathOf(digest), MAX_JSON_BYTES, signal);
  verifyDigest(data, digest, what);
  return data;
}

function pathOf(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}
