// A signature with what cosign writes beside it.
// Source: cosign, specs/SIGNATURE_SPEC.md; containers/image, internal/signature/sigstore.go.

import * as z from 'zod';
import { decode } from '../../codec/decode.ts';
import type { Attachment } from './attachments.ts';

const MAX_LENGTH = 64 * 1024;
const text = z.string().max(MAX_LENGTH).default('');

const annotationsSchema = z.object({
  'dev.cosignproject.cosign/signature': z
    .base64()
    .min(1)
    .max(MAX_LENGTH)
    .transform((encoded) => Buffer.from(encoded, 'base64')),
  'dev.sigstore.cosign/certificate': text,
  'dev.sigstore.cosign/chain': text,
  'dev.sigstore.cosign/bundle': text,
});

/** What is missing is empty. */
export interface CosignSignature {
  readonly payload: Buffer;
  readonly signature: Buffer;
  /** PEM. */
  readonly certificate: string;
  /** PEM: the authorities above the certificate. */
  readonly chain: string;
  /** JSON: what a transparency log said. */
  readonly bundle: string;
}

/** @throws {Fault} failed_precondition — it has another shape */
export function parseCosignSignature({ payload, annotations }: Attachment): CosignSignature {
  const found = decode(annotationsSchema, annotations, 'its annotations', 'failed_precondition');
  return {
    payload,
    signature: found['dev.cosignproject.cosign/signature'],
    certificate: found['dev.sigstore.cosign/certificate'],
    chain: found['dev.sigstore.cosign/chain'],
    bundle: found['dev.sigstore.cosign/bundle'],
  };
}
