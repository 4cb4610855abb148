// The record of an archive that was imported, by which it is known not to have changed since.

import * as z from 'zod';
import type { ImageId } from '../base/id.ts';
import { decodeRecord } from '../codec/decode-record.ts';
import type { Codec } from '../store/record-store.ts';

export interface PreloadedFile {
  /** Its name in the folder. */
  readonly id: string;
  readonly sizeBytes: number;
  /** Nanoseconds since the Unix epoch, in decimal. */
  readonly mtimeNs: string;
  readonly imageIds: readonly ImageId[];
}

const recordSchema = z.object({
  v: z.literal(1),
  id: z.string(),
  sizeBytes: z.int().min(0),
  mtimeNs: z.string().regex(/^-?\d+$/),
  imageIds: z.array(z.string()),
});

export const preloadedCodec: Codec<PreloadedFile> = {
  encode: (file) => ({ v: 1, ...file }),
  decode: (json, key) => {
    const record = decodeRecord(
      { schema: recordSchema, latest: 1 },
      json,
      `record of preloaded file "${key}"`,
    );
    const { v: _, imageIds, ...file } = record;
    return { ...file, imageIds: imageIds as ImageId[] }; // as we wrote them
  },
};
