// Images made in memory, whole: layers, config and manifest, with their digests.

import { gzipSync, zstdCompressSync } from 'node:zlib';
import { sha256Of } from '../digest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../media-types.ts';
import { hostPlatform } from '../platform.ts';
import { buildTar, type TarFile } from './tar.ts';

export interface TestBlob {
  readonly digest: string;
  readonly data: Buffer;
  readonly mediaType: string;
}

export interface TestImage {
  readonly manifest: TestBlob;
  readonly config: TestBlob;
  readonly layers: readonly TestBlob[];
  /** Of the tars inside the layers. */
  readonly diffIds: readonly string[];
}

export type Compression = 'none' | 'gzip' | 'zstd';

export interface TestImageOptions {
  /** The lowest first: what is in each, or a tar. */
  readonly layers: readonly (readonly TarFile[] | Buffer)[];
  /** `config` of the image's config: Cmd, Env and so on. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly compression?: Compression;
  /** Instead of this machine's. */
  readonly architecture?: string;
}

export function buildImage({
  layers,
  config = {},
  compression = 'gzip',
  architecture,
}: TestImageOptions): TestImage {
  const tars = layers.map((layer) => (Buffer.isBuffer(layer) ? layer : buildTar(layer)));
  const blobs = tars.map((tar) => toLayer(tar, compression));
  const diffIds = tars.map(sha256Of);
  const platform = { ...hostPlatform(), ...(architecture !== undefined && { architecture }) };
  const configBlob = toBlob(
    { created: '2026-01-01T00:00:00Z', ...platform, config, rootfs: { type: 'layers', diff_ids: diffIds } },
    OCI_CONFIG,
  );
  const manifest = toBlob(
    {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: toDescriptor(configBlob),
      layers: blobs.map(toDescriptor),
    },
    OCI_MANIFEST,
  );
  return { manifest, config: configBlob, layers: blobs, diffIds };
}

export function toBlob(json: unknown, mediaType: string): TestBlob {
  const data = Buffer.from(JSON.stringify(json));
  return { digest: sha256Of(data), data, mediaType };
}

export function toDescriptor({ digest, data, mediaType }: TestBlob): {
  mediaType: string;
  digest: string;
  size: number;
} {
  return { mediaType, digest, size: data.length };
}

function toLayer(tar: Buffer, compression: Compression): TestBlob {
  if (compression === 'none') return { digest: sha256Of(tar), data: tar, mediaType: OCI_LAYER };
  const data = compression === 'gzip' ? gzipSync(tar) : zstdCompressSync(tar);
  return { digest: sha256Of(data), data, mediaType: `${OCI_LAYER}+${compression}` };
}
