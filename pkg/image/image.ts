// An image on this node, and its record.

import * as z from 'zod';
import type { ImageId } from '../base/id.ts';
import { decodeRecord } from '../codec/decode-record.ts';
import type { Codec } from '../store/record-store.ts';
import { isDigest, type Digest } from './digest.ts';
import type { OciImageConfig } from './image-config.ts';

export interface Image {
  /** The digest of its config: the same on every node, whatever it was pulled by. */
  readonly id: ImageId;
  /** `docker.io/library/busybox:latest`; sorted. */
  readonly repoTags: readonly string[];
  /** `docker.io/library/busybox@sha256:…`, with the digest that the registry knows; sorted. */
  readonly repoDigests: readonly string[];
  /** Set if it is no image but an artifact, which can be mounted and not be run. Its id is that of its manifest. */
  readonly artifactType?: string | undefined;
  /** Of its layers as they came, and its config. Never 0, and never changes. */
  readonly sizeBytes: number;
  readonly config: OciImageConfig;
  readonly os: string;
  readonly architecture: string;
  /** When it was built, RFC 3339, or empty. */
  readonly createdAt: string;
  /** One per layer, the lowest first. */
  readonly chainIds: readonly Digest[];
  /** Never to be collected by the kubelet. */
  readonly pinned: boolean;
  /** When it came to this node, in milliseconds since the Unix epoch. */
  readonly pulledAtMs: number;
}

const digest = z.string().refine(isDigest, 'must be a digest');

const recordSchema = z.object({
  v: z.literal(1),
  id: digest,
  repoTags: z.array(z.string()),
  repoDigests: z.array(z.string()),
  artifactType: z.string().optional(),
  sizeBytes: z.int().min(1),
  config: z.object({
    User: z.string(),
    Env: z.array(z.string()),
    Entrypoint: z.array(z.string()),
    Cmd: z.array(z.string()),
    WorkingDir: z.string(),
    StopSignal: z.string(),
    Volumes: z.array(z.string()),
    Labels: z.record(z.string(), z.string()),
  }),
  os: z.string(),
  architecture: z.string(),
  createdAt: z.string(),
  chainIds: z.array(digest),
  pinned: z.boolean(),
  pulledAtMs: z.number(),
});

export const imageCodec: Codec<Image> = {
  encode: (image) => ({ v: 1, ...image }),
  decode: (json, key) => {
    const { v: _, ...image } = decodeRecord(
      { schema: recordSchema, latest: 1 },
      json,
      `record of image "${key}"`,
    );
    return { ...image, id: image.id as ImageId }; // checked: it is a digest
  },
};
