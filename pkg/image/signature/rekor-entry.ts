// The word of a transparency log (Rekor) that it has seen a signature, as cosign keeps it beside the signature.
// Source: cosign, pkg/cosign/bundle; Rekor, hashedrekord 0.0.1.

import { createHash, createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import type { SignedEntity } from '@sigstore/verify';
import * as z from 'zod';
import { Fault } from '../../base/fault.ts';
import { decode } from '../../codec/decode.ts';
import { parseStrictJson } from '../../codec/strict-json.ts';

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));

const bundleSchema = z.strictObject({
  SignedEntryTimestamp: base64,
  Payload: z.strictObject({
    body: base64,
    integratedTime: z.int().min(0).max(8_640_000_000_000), // the last second that a Date can be
    logIndex: z.int().min(0),
    logID: z.hex(),
  }),
});

const bodySchema = z.object({
  apiVersion: z.literal('0.0.1'),
  kind: z.literal('hashedrekord'),
  spec: z.object({
    data: z.object({ hash: z.object({ algorithm: z.literal('sha256'), value: z.hex() }) }),
    signature: z.object({ content: base64, publicKey: z.object({ content: base64 }) }),
  }),
});

/** As the verifier of sigstore wants it. */
export type LogEntry = SignedEntity['tlogEntries'][number];

export interface RekorEntry {
  readonly entry: LogEntry;
  /** Of whoever signed, as the log has it: a key or a certificate, PEM. */
  readonly signer: Buffer;
}

/**
 * What is in it is not yet to be believed.
 *
 * @param text of the annotation `dev.sigstore.cosign/bundle`
 * @throws {Fault} failed_precondition — it has another shape
 */
export function parseRekorBundle(text: string): RekorEntry {
  const what = 'the entry of the transparency log';
  const json = parseStrictJson(text, what, 'failed_precondition');
  const { SignedEntryTimestamp, Payload } = decode(bundleSchema, json, what, 'failed_precondition');
  const bodyJson = parseStrictJson(Payload.body.toString(), what, 'failed_precondition');
  const { kind, apiVersion, spec } = decode(bodySchema, bodyJson, what, 'failed_precondition');
  return {
    entry: {
      logIndex: String(Payload.logIndex),
      logId: { keyId: Buffer.from(Payload.logID, 'hex') },
      kindVersion: { kind, version: apiVersion },
      integratedTime: String(Payload.integratedTime),
      inclusionPromise: { signedEntryTimestamp: SignedEntryTimestamp },
      inclusionProof: undefined,
      canonicalizedBody: Payload.body,
    },
    signer: spec.signature.publicKey.content,
  };
}

/** A log is known by the digest of its key. */
export function logIdOf(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

/** The verifier of sigstore compares signature and digest; whose they are is for us to compare. */
export function expectSignerIs(signer: KeyObject | X509Certificate, logged: Buffer): void {
  const same =
    signer instanceof X509Certificate
      ? new X509Certificate(logged).raw.equals(signer.raw)
      : createPublicKey(logged).equals(signer);
  if (same) return;
  throw new Fault('failed_precondition', 'the transparency log has the signature of another key');
}
