// An image as an archive file, as `docker save` and `skopeo copy` write them.

import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { descriptorOf, type BuiltImage } from './image-builder.ts';

/** An OCI layout in a tar. @param reference `davit.local/box:latest` */
export async function writeOciArchive(path: string, reference: string, image: BuiltImage): Promise<void> {
  const annotations = { 'org.opencontainers.image.ref.name': reference };
  const index = { schemaVersion: 2, manifests: [{ ...descriptorOf(image.manifest), annotations }] };
  const files = new Map<string, string | Buffer>([
    ['oci-layout', JSON.stringify({ imageLayoutVersion: '1.0.0' })],
    ['index.json', JSON.stringify(index)],
  ]);
  for (const { digest, data } of [image.manifest, image.config, ...image.layers])
    files.set(`blobs/sha256/${digest.slice('sha256:'.length)}`, data);
  await writeTar(path, files);
}

/** What `docker save` wrote before it knew OCI: layers are named in a manifest.json. */
export async function writeDockerArchive(path: string, reference: string, image: BuiltImage): Promise<void> {
  const hex = image.config.digest.slice('sha256:'.length);
  const layers = image.layers.map((_, index) => `layer${index}/layer.tar`);
  const manifest = [{ Config: `${hex}.json`, RepoTags: [reference], Layers: layers }];
  const files = new Map<string, string | Buffer>([
    [`${hex}.json`, image.config.data],
    ...image.layers.map(({ data }, index): [string, Buffer] => [`layer${index}/layer.tar`, data]),
    ['manifest.json', JSON.stringify(manifest)],
  ]);
  await writeTar(path, files);
}

async function writeTar(path: string, files: ReadonlyMap<string, string | Buffer>): Promise<void> {
  const tar = pack();
  for (const [name, data] of files) tar.entry({ name, mtime: new Date(0) }, data);
  tar.finalize();
  await pipeline(tar, createWriteStream(path));
}
