// An image of one layer as an OCI layout in a tar: what `davitctl load` and `ctr images import` read.

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';

export type Entry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly data: string | Buffer; readonly mode?: number }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string };

export interface ImageContent {
  /** `davit.local/busybox:latest` */
  readonly reference: string;
  readonly entries: readonly Entry[];
  readonly config: {
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
  };
}

/** The same content gives the same bytes, so that an image keeps its id. */
const EPOCH = new Date(0);

/** Writes the archive to the file `path`. */
export async function writeImageArchive(path: string, image: ImageContent): Promise<void> {
  const layer = await tarOf((tar) => {
    for (const entry of image.entries) tar.entry(header(entry), entry.kind === 'file' ? entry.data : '');
  });
  const blob = gzipSync(layer, { level: 6 });
  const config = json({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: EPOCH.toISOString(),
    config: image.config,
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar+gzip', blob)],
  });
  const annotations = {
    'io.containerd.image.name': image.reference, // the whole name, for containerd
    'org.opencontainers.image.ref.name': image.reference,
  };
  const index = json({
    schemaVersion: 2,
    manifests: [{ ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest), annotations }],
  });
  const archive = pack();
  archive.entry({ name: 'oci-layout', mtime: EPOCH }, json({ imageLayoutVersion: '1.0.0' }));
  archive.entry({ name: 'index.json', mtime: EPOCH }, index);
  for (const data of [manifest, config, blob]) {
    archive.entry({ name: `blobs/sha256/${digest(data).slice('sha256:'.length)}`, mtime: EPOCH }, data);
  }
  archive.finalize();
  await pipeline(archive, createWriteStream(path));
}

function header(entry: Entry): Parameters<Pack['entry']>[0] {
  const name = entry.path.replace(/^\//, '');
  switch (entry.kind) {
    case 'directory':
      return { name: `${name}/`, type: 'directory', mode: entry.mode ?? 0o755, mtime: EPOCH };
    case 'file':
      return { name, type: 'file', mode: entry.mode ?? 0o644, mtime: EPOCH };
    case 'symlink':
      return { name, type: 'symlink', linkname: entry.target, mode: 0o777, mtime: EPOCH };
  }
}

async function tarOf(fill: (tar: Pack) => void): Promise<Buffer> {
  const tar = pack();
  fill(tar);
  tar.finalize();
  return await buffer(tar);
}

function descriptor(mediaType: string, data: Buffer): object {
  return { mediaType, digest: digest(data), size: data.length };
}

function digest(data: Buffer): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value));
}
