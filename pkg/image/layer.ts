// One unpacked layer, and its record.

import * as z from 'zod';
import { decodeRecord } from '../codec/decode-record.ts';
import type { Codec } from '../store/record-store.ts';
import { isDigest, type Digest } from './digest.ts';

export interface Layer {
  /** Its chain id: what it contains and what it lies on. */
  readonly id: Digest;
  readonly diffId: Digest;
  /** Below `<root>/layers`. Short, since mount(2) takes one page for the names of all of them. */
  readonly directory: string;
  /** Digest of the inventory, which lies below `<root>/inventories` under the same name; older layers have none. */
  readonly inventory?: Digest | undefined;
  /** Boot in which it was written; absent once it is known to have reached the disk. */
  readonly unprovenSince?: string | undefined;
  /** What is wrong with it: it is not used for new containers, and fetched again with the next pull. */
  readonly damage?: string | undefined;
  /** What it takes on disk. */
  readonly diskBytes: number;
  readonly inodes: number;
}

const digest = z.string().refine(isDigest, 'must be a digest');

const recordSchema = z.object({
  v: z.union([z.literal(1), z.literal(2)]), // the first had nothing of what is optional
  id: digest,
  diffId: digest,
  directory: z.string().regex(/^[0-9a-z]+$/),
  inventory: digest.optional(),
  unprovenSince: z.string().optional(),
  damage: z.string().optional(),
  diskBytes: z.int().min(0),
  inodes: z.int().min(0),
});

export const layerCodec: Codec<Layer> = {
  encode: (layer) => ({ v: 2, ...layer }),
  decode: (json, key) => {
    const { v: _, ...layer } = decodeRecord(
      { schema: recordSchema, latest: 2 },
      json,
      `record of layer "${key}"`,
    );
    return layer;
  },
};

/** A layer that an image needs. */
export interface WantedLayer {
  readonly chainId: Digest;
  readonly diffId: Digest;
  /** As it comes, compressed or not. Without a digest (in archives of Docker) the diff id alone vouches for it. */
  readonly blob: { readonly digest: Digest | undefined; readonly size: number; readonly mediaType: string };
  /** Set if the blob is no tar but this one file: its path in the layer. Such a layer lies on no other. */
  readonly file?: string;
}
