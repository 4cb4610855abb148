// One unpacked layer, and its record.

import * as z from 'zod';
import { decode } from '../codec/decode.ts';
import type { Codec } from '../store/record-store.ts';
import { isDigest, type Digest } from './digest.ts';

export interface Layer {
  /** Its chain id: what it contains and what it lies on. */
  readonly id: Digest;
  readonly diffId: Digest;
  /** Below `<root>/layers`. Short, since mount(2) takes one page for the names of all of them. */
  readonly directory: string;
  /** What it takes on disk. */
  readonly diskBytes: number;
  readonly inodes: number;
}

const digest = z.string().refine(isDigest, 'must be a digest');

const recordSchema = z.object({
  v: z.literal(1),
  id: digest,
  diffId: digest,
  directory: z.string().regex(/^[0-9a-z]+$/),
  diskBytes: z.int().min(0),
  inodes: z.int().min(0),
});

export const layerCodec: Codec<Layer> = {
  encode: (layer) => ({ v: 1, ...layer }),
  decode: (json, key) => {
    const { v: _, ...layer } = decode(recordSchema, json, `record of layer "${key}"`, 'data_loss');
    return layer;
  },
};

/** A layer that an image needs. */
export interface WantedLayer {
  readonly chainId: Digest;
  readonly diffId: Digest;
  /** As it comes, compressed or not. Without a digest (in archives of Docker) the diff id alone vouches for it. */
  readonly blob: { readonly digest: Digest | undefined; readonly size: number; readonly mediaType: string };
}
