// Whether one signature is good: made by whom the policy names, over a payload that says it is for this image.

import { createHash, verify as verifyWithKey, type KeyObject } from 'node:crypto';
import { Verifier, type SignedEntity, type TrustMaterial } from '@sigstore/verify';
import { Fault } from '../../base/fault.ts';
import type { Digest } from '../digest.ts';
import type { Reference } from '../reference.ts';
import type { Attachment } from './attachments.ts';
import { expectIdentity, parseCertificates, verifyChain } from './certificate.ts';
import { parseCosignSignature, type CosignSignature } from './cosign-signature.ts';
import { matchesIdentity } from './identity.ts';
import { parsePayload } from './payload.ts';
import type { SignedIdentity } from './policy.ts';
import { expectSignerIs, logIdOf, parseRekorBundle, type RekorEntry } from './rekor-entry.ts';
import type { Signers, Trust } from './trust.ts';

export interface Verification {
  readonly trust: Trust;
  readonly identity: SignedIdentity;
  /** What is pulled. */
  readonly wanted: Reference;
  /** The manifest that the signature lies beside. */
  readonly manifest: Digest;
}

/** @throws {Error} telling why it does not count */
export function verifySignature(attachment: Attachment, verification: Verification): void {
  const { trust, identity, wanted, manifest } = verification;
  verifyBytes(parseCosignSignature(attachment), trust);
  const payload = parsePayload(attachment.payload); // after that: nobody else's bytes get here
  if (payload.manifest !== manifest) throw refusal(`it is one of "${payload.manifest}"`);
  if (!matchesIdentity(identity, wanted, payload.reference))
    throw refusal(`it is one of "${payload.reference}", which the policy does not take for this image`);
}

function verifyBytes(signature: CosignSignature, trust: Trust): void {
  const logged = trust.logKeys.length === 0 ? undefined : parseRekorBundle(signature.bundle);
  switch (trust.signers.kind) {
    case 'keys':
      verifyByKeys(signature, trust, trust.signers.keys, logged);
      return;
    case 'fulcio':
      verifyByCertificate(signature, trust, trust.signers, logged);
  }
}

function verifyByKeys(
  signature: CosignSignature,
  { logKeys }: Trust,
  keys: readonly KeyObject[],
  logged: RekorEntry | undefined,
): void {
  let failure: unknown = refusal('the policy names no key');
  for (const key of keys) {
    try {
      if (logged !== undefined) expectSignerIs(key, logged.signer);
      verify(signature, { key, isValidAt: () => true }, { logKeys, logged });
      return;
    } catch (error) {
      failure = error;
    }
  }
  throw Fault.from(failure);
}

/** The log says when it was signed: the certificate must have been valid then, not now. */
function verifyByCertificate(
  signature: CosignSignature,
  { logKeys }: Trust,
  { roots, identity }: Extract<Signers, { kind: 'fulcio' }>,
  logged: RekorEntry | undefined,
): void {
  if (logged === undefined) throw refusal('the policy names no transparency log'); // it is checked when it is read
  const [leaf, ...others] = parseCertificates(signature.certificate);
  if (leaf === undefined || others.length > 0) throw refusal('it has more than one certificate');
  const intermediates = signature.chain === '' ? [] : parseCertificates(signature.chain);
  expectSignerIs(leaf, logged.signer);
  const isValidAt = (at: Date): boolean => {
    verifyChain(leaf, intermediates, roots, at);
    return true;
  };
  verify(signature, { key: leaf.publicKey, isValidAt }, { logKeys, logged });
  expectIdentity(leaf, identity);
}

interface Signer {
  readonly key: KeyObject;
  readonly isValidAt: (at: Date) => boolean;
}

interface Logged {
  readonly logKeys: readonly KeyObject[];
  readonly logged: RekorEntry | undefined;
}

function verify(signature: CosignSignature, signer: Signer, { logKeys, logged }: Logged): void {
  const entries = logged === undefined ? [] : [logged.entry];
  const threshold = entries.length;
  new Verifier(toTrustMaterial(signer, logKeys), {
    ctlogThreshold: 0,
    tlogThreshold: threshold,
    timestampThreshold: threshold,
  }).verify(toEntity(signature, entries));
}

function toTrustMaterial({ key, isValidAt }: Signer, logKeys: readonly KeyObject[]): TrustMaterial {
  const validFor = { start: new Date(0), end: new Date(8_640_000_000_000_000) }; // from the first date to the last
  return {
    certificateAuthorities: [],
    timestampAuthorities: [],
    ctlogs: [],
    tlogs: logKeys.map((publicKey) => ({ publicKey, logID: logIdOf(publicKey), baseURL: '', validFor })),
    publicKey: () => ({ publicKey: key, validFor: isValidAt }),
  };
}

function toEntity(
  { payload, signature }: CosignSignature,
  tlogEntries: SignedEntity['tlogEntries'],
): SignedEntity {
  const digest = createHash('sha256').update(payload).digest();
  return {
    signature: {
      signature,
      compareSignature: (other) => signature.equals(other),
      compareDigest: (other) => digest.equals(other),
      compareSignedDigest: (other) => digest.equals(other),
      verifySignature: (key) => isSignedBy(key, payload, signature),
    },
    key: { $case: 'public-key', hint: '' },
    timestamps: tlogEntries.map((tlogEntry) => ({ $case: 'transparency-log', tlogEntry })),
    tlogEntries,
  };
}

/** As cosign signs: EdDSA has its own digest, everything else takes SHA-256. */
function isSignedBy(key: KeyObject, payload: Buffer, signature: Buffer): boolean {
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  return verifyWithKey(algorithm, payload, key, signature);
}

function refusal(why: string): Fault {
  return new Fault('failed_precondition', why);
}
