// What cosign signs: a small document that says which manifest was signed, and under which name.
// Source: cosign, specs/SIGNATURE_SPEC.md; containers/image, signature/internal/sigstore_payload.go.

import * as z from 'zod';
import { decode } from '../../codec/decode.ts';
import { parseStrictJson } from '../../codec/strict-json.ts';
import { isDigest, type Digest } from '../digest.ts';

const payloadSchema = z.strictObject({
  critical: z.strictObject({
    type: z.literal('cosign container image signature'),
    image: z.strictObject({ 'docker-manifest-digest': z.string().refine(isDigest, 'must be a digest') }),
    identity: z.strictObject({ 'docker-reference': z.string() }),
  }),
  optional: z.unknown(),
});

export interface SignedPayload {
  readonly manifest: Digest;
  readonly reference: string;
}

/** @throws {Fault} failed_precondition — it says anything else, or more */
export function parsePayload(data: Buffer): SignedPayload {
  const what = 'the payload';
  const json = parseStrictJson(data.toString(), what, 'failed_precondition');
  const { critical } = decode(payloadSchema, json, what, 'failed_precondition');
  return {
    manifest: critical.image['docker-manifest-digest'],
    reference: critical.identity['docker-reference'],
  };
}
