// From a reference to what its image consists of: index, manifest, config, each verified.

import { Fault } from '../base/fault.ts';
import { verifyDigest, type Digest } from './digest.ts';
import { parseImageConfig } from './image-config.ts';
import { toArtifact, toWantedLayers, type ImageSource } from './image-source.ts';
import { artifactTypeOf, parseManifest, type Descriptor, type Manifest } from './manifest.ts';
import { hostPlatform, selectPlatform } from './platform.ts';
import { toRepoDigest, toRepoTag, type Reference } from './reference.ts';
import { readBody } from './registry/body.ts';
import type { FetchedManifest, RegistrySession } from './registry/client.ts';

const MAX_CONFIG_BYTES = 16 << 20;
/** An index may contain indexes. */
const MAX_INDEX_DEPTH = 4;

/**
 * What the registry has under the reference.
 *
 * @throws {Fault} as `RegistrySession.manifest()`
 */
export async function fetchTop(
  session: RegistrySession,
  { tag, digest }: Reference,
  signal: AbortSignal,
): Promise<FetchedManifest> {
  return await session.manifest(digest ?? tag ?? 'latest', signal);
}

/** The manifest for this machine. */
export interface FoundManifest {
  readonly manifest: Manifest;
  readonly digest: Digest;
  /** What the reference stands for: the same, or an index that leads to it. */
  readonly top: FetchedManifest;
}

/** @throws {Fault} data_loss — the config is not what its digest says; unimplemented — it is of a kind that we do not take */
export async function resolveImage(
  session: RegistrySession,
  reference: Reference,
  { manifest, digest, top }: FoundManifest,
  signal: AbortSignal,
): Promise<ImageSource> {
  const names = { blobs: session, ...namesFor(reference, top) };
  if (artifactTypeOf(manifest) !== undefined)
    return { ...toArtifact(manifest, digest, `manifest of "${reference.toString()}"`), ...names };
  const data = await fetchConfig(session, manifest.config, signal);
  const config = parseImageConfig(data, manifest.layers.length, `config of "${reference.toString()}"`);
  return {
    id: manifest.config.digest,
    config,
    layers: toWantedLayers(config, manifest.layers),
    sizeBytes: manifest.layers.reduce((sum, { size }) => sum + size, data.length),
    ...names,
  };
}

/** A tag beside a digest proves nothing: it may point elsewhere by now. */
export function namesFor(
  reference: Reference,
  { digest }: FetchedManifest,
): { repoTags: string[]; repoDigests: string[] } {
  const tag = reference.digest === undefined ? toRepoTag(reference) : undefined;
  return { repoTags: tag === undefined ? [] : [tag], repoDigests: [toRepoDigest(reference, digest)] };
}

/**
 * @param top as `fetchTop()` gave it
 * @throws {Fault} not_found — no image for this machine; data_loss — something is not what its digest says;
 *   unimplemented — it is of a kind that we do not take
 */
export async function findManifest(
  session: RegistrySession,
  reference: Reference,
  top: FetchedManifest,
  signal: AbortSignal,
): Promise<FoundManifest> {
  const what = `manifest of "${reference.toString()}"`;
  let fetched = top;
  for (let depth = 0; depth < MAX_INDEX_DEPTH; depth++) {
    const parsed = parseManifest(fetched.data, fetched.mediaType, what);
    if (parsed.kind === 'manifest') return { manifest: parsed.manifest, digest: fetched.digest, top };
    const platform = hostPlatform();
    const entry = selectPlatform(parsed.index, platform);
    if (entry === undefined) {
      const { os, architecture } = platform;
      throw new Fault(
        'not_found',
        `cannot find an image for ${os}/${architecture} in "${reference.toString()}"`,
      );
    }
    fetched = await session.manifest(entry.digest, signal);
  }
  throw new Fault('unimplemented', `cannot use ${what}: its indexes are nested too deeply`);
}

async function fetchConfig(
  session: RegistrySession,
  descriptor: Descriptor,
  signal: AbortSignal,
): Promise<Buffer> {
  if (!descriptor.digest.startsWith('sha256:')) {
    throw new Fault('unimplemented', `cannot use config "${descriptor.digest}": its digest is not sha256`);
  }
  for (;;) {
    const body = session.open(descriptor, signal);
    const data = await readBody(body, MAX_CONFIG_BYTES, `config "${descriptor.digest}"`);
    const wrong = wrongDigest(data, descriptor.digest);
    if (wrong === undefined) return data;
    const final = session.reject(descriptor.digest, wrong);
    if (final !== undefined) throw final;
  }
}

function wrongDigest(data: Buffer, digest: Digest): Fault | undefined {
  try {
    verifyDigest(data, digest, 'config');
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}
