// What `docker save` writes: `manifest.json` names a config and layers, which have no digests of their own.

import * as z from 'zod';
import { decode } from '../../codec/decode.ts';
import { sha256Of } from '../digest.ts';
import { parseImageConfig } from '../image-config.ts';
import { toWantedLayers, type ImageSource } from '../image-source.ts';
import { parseJson } from '../manifest.ts';
import { OCI_LAYER } from '../media-types.ts';
import { parseReference, toRepoTag } from '../reference.ts';
import type { ArchiveFiles } from './archive-files.ts';

const MAX_JSON_BYTES = 16 << 20;

const manifestSchema = z.array(
  z.object({
    Config: z.string(),
    RepoTags: z.array(z.string()).nullish(),
    Layers: z.array(z.string()).nullish(),
  }),
);

type SavedImage = z.output<typeof manifestSchema>[number];

/** @throws {Fault} data_loss — something is missing or damaged */
export async function readDockerArchive(files: ArchiveFiles, signal: AbortSignal): Promise<ImageSource[]> {
  const json = parseJson(await files.read('manifest.json', MAX_JSON_BYTES, signal), '"manifest.json"');
  const saved = decode(manifestSchema, json, '"manifest.json"', 'data_loss');
  return await Promise.all(saved.map((image) => toSource(files, image, signal)));
}

async function toSource(
  files: ArchiveFiles,
  { Config, RepoTags, Layers }: SavedImage,
  signal: AbortSignal,
): Promise<ImageSource> {
  const data = await files.read(Config, MAX_JSON_BYTES, signal);
  const names = Layers ?? [];
  const config = parseImageConfig(data, names.length, `config "${Config}"`);
  const blobs = names.map((name) => ({ digest: undefined, size: files.sizeOf(name), mediaType: OCI_LAYER }));
  const byDiffId = new Map(config.diffIds.map((diffId, index) => [diffId, names[index] ?? '']));
  return {
    id: sha256Of(data),
    config,
    layers: toWantedLayers(config, blobs),
    sizeBytes: blobs.reduce((sum, { size }) => sum + size, data.length),
    blobs: {
      kind: 'archive',
      open: ({ digest }, stop) => files.stream(byDiffId.get(digest) ?? '', stop),
      reject: (_, why) => why,
    },
    repoTags: (RepoTags ?? []).flatMap((tag) => toRepoTag(parseReference(tag)) ?? []),
    repoDigests: [],
  };
}
