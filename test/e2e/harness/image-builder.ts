// Images of the tests: layers with anything in them that a tar can hold, as the blobs of an OCI image.

import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';

export interface LayerEntry {
  /** Absolute. */
  readonly path: string;
  /** A file unless something else is said. */
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'character-device' | 'fifo';
  readonly data?: string | Buffer;
  /** Of links. */
  readonly target?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeSeconds?: number;
  readonly device?: { readonly major: number; readonly minor: number };
  readonly xattrs?: Readonly<Record<string, string>>;
}

export type Compression = 'gzip' | 'zstd' | 'none';

/** What is in it, or a tar as it is. */
export type LayerContent = ({ readonly entries: readonly LayerEntry[] } | { readonly tar: Buffer }) & {
  readonly compression?: Compression;
};

export interface ImageContent {
  readonly layers: readonly LayerContent[];
  readonly config?: Readonly<Record<string, unknown>>;
  /** Docker's media types instead of OCI's. */
  readonly docker?: boolean;
}

export interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly data: Buffer;
}

export interface BuiltImage {
  readonly config: Blob;
  readonly layers: readonly Blob[];
  readonly manifest: Blob;
  /** The digest of its config, as everywhere in the CRI. */
  readonly id: string;
}

export async function buildImage({ layers, config, docker = false }: ImageContent): Promise<BuiltImage> {
  const tars = await Promise.all(layers.map(toTar));
  const blobs = tars.map((tar, index) => toLayer(tar, layers[index]?.compression ?? 'gzip', docker));
  const configBlob = toBlob(
    docker ? 'application/vnd.docker.container.image.v1+json' : 'application/vnd.oci.image.config.v1+json',
    Buffer.from(
      JSON.stringify({
        architecture: process.arch === 'x64' ? 'amd64' : process.arch,
        os: 'linux',
        config: config ?? {},
        rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
      }),
    ),
  );
  const mediaType = docker
    ? 'application/vnd.docker.distribution.manifest.v2+json'
    : 'application/vnd.oci.image.manifest.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: descriptorOf(configBlob),
    layers: blobs.map(descriptorOf),
  };
  return {
    config: configBlob,
    layers: blobs,
    manifest: toBlob(mediaType, Buffer.from(JSON.stringify(manifest))),
    id: configBlob.digest,
  };
}

export function toBlob(mediaType: string, data: Buffer): Blob {
  return { mediaType, digest: digestOf(data), data };
}

export function descriptorOf({ mediaType, digest, data }: Blob): {
  mediaType: string;
  digest: string;
  size: number;
} {
  return { mediaType, digest, size: data.length };
}

export function digestOf(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

function toLayer(tar: Buffer, compression: Compression, docker: boolean): Blob {
  const type = docker
    ? 'application/vnd.docker.image.rootfs.diff.tar'
    : 'application/vnd.oci.image.layer.v1.tar';
  switch (compression) {
    case 'gzip':
      return toBlob(docker ? `${type}.gzip` : `${type}+gzip`, gzipSync(tar, { level: 1 }));
    case 'zstd':
      return toBlob(docker ? `${type}.zstd` : `${type}+zstd`, zstdCompressSync(tar));
    case 'none':
      return toBlob(type, tar);
  }
}

async function toTar(layer: LayerContent): Promise<Buffer> {
  if ('tar' in layer) return layer.tar;
  const tar = pack();
  for (const entry of layer.entries) tar.entry(toHeader(entry), entry.data ?? '');
  tar.finalize();
  return await buffer(tar);
}

function toHeader(entry: LayerEntry): Parameters<Pack['entry']>[0] {
  const { path, type = 'file', mode, uid = 0, gid = 0, mtimeSeconds = 0, device } = entry;
  const isDirectory = type === 'directory';
  return {
    name: path.replace(/^\//, '') + (isDirectory ? '/' : ''),
    type,
    mode: mode ?? (isDirectory ? 0o755 : 0o644),
    uid,
    gid,
    mtime: new Date(mtimeSeconds * 1000),
    ...(device === undefined ? {} : { devmajor: device.major, devminor: device.minor }),
    ...toLink(entry),
    ...toAttributes(entry),
  };
}

/** The target of a hard link is a name in the tar. */
function toLink({ type, target }: LayerEntry): { linkname?: string } {
  if (target === undefined) return {};
  return { linkname: type === 'link' ? target.replace(/^\//, '') : target };
}

function toAttributes({ xattrs }: LayerEntry): { pax?: Record<string, string> } {
  if (xattrs === undefined) return {};
  const records = Object.entries(xattrs).map(([name, value]) => [`SCHILY.xattr.${name}`, value]);
  return { pax: Object.fromEntries(records) as Record<string, string> }; // pairs of strings
}
