// Signs images as cosign does: with a key or a certificate, with or without the word of a transparency log.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { json } from '@sigstore/core';
import type { Certificate } from '../../sys/testing/certificates.ts';
import { OCI_CONFIG, OCI_MANIFEST } from '../media-types.ts';
import type { Attachment } from '../signature/attachments.ts';
import { pushBlob, pushManifest } from './push.ts';
import { toBlob, toDescriptor, type TestBlob } from './test-image.ts';

export interface SigningKey {
  readonly key: KeyObject;
  /** Of the public key, or of the certificate over it. */
  readonly pem: string;
}

export function newSigningKey(): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { key: privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) as string };
}

export function toPayload(manifest: string, reference: string): object {
  return {
    critical: {
      identity: { 'docker-reference': reference },
      image: { 'docker-manifest-digest': manifest },
      type: 'cosign container image signature',
    },
    optional: null,
  };
}

export function signPayload(payload: object, { key }: SigningKey): Attachment {
  const data = Buffer.from(JSON.stringify(payload));
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(algorithm, data, key).toString('base64');
  return { payload: data, annotations: { 'dev.cosignproject.cosign/signature': signature } };
}

/** The signature with what a log would say of it. */
export function logSignature(
  { payload, annotations }: Attachment,
  signer: SigningKey,
  { log, at = new Date() }: { log: SigningKey; at?: Date },
): Attachment {
  const body = {
    apiVersion: '0.0.1',
    kind: 'hashedrekord',
    spec: {
      data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') } },
      signature: {
        content: annotations['dev.cosignproject.cosign/signature'],
        publicKey: { content: Buffer.from(signer.pem).toString('base64') },
      },
    },
  };
  const spki = createPublicKey(log.pem).export({ type: 'spki', format: 'der' });
  const Payload = {
    body: Buffer.from(JSON.stringify(body)).toString('base64'),
    integratedTime: Math.floor(at.getTime() / 1000),
    logIndex: 7,
    logID: createHash('sha256').update(spki).digest('hex'),
  };
  const promise = sign('sha256', Buffer.from(json.canonicalize(Payload)), log.key).toString('base64');
  const bundle = JSON.stringify({ SignedEntryTimestamp: promise, Payload });
  return { payload, annotations: { ...annotations, 'dev.sigstore.cosign/bundle': bundle } };
}

/** With the certificate beside it, and those between it and the root. */
export function withCertificate(
  { payload, annotations }: Attachment,
  certificate: string,
  chain = '',
): Attachment {
  return {
    payload,
    annotations: {
      ...annotations,
      'dev.sigstore.cosign/certificate': certificate,
      ...(chain === '' ? {} : { 'dev.sigstore.cosign/chain': chain }),
    },
  };
}

/** Puts them where cosign would: instead of those that the manifest had. */
export async function pushSignatures(
  registry: string,
  repository: string,
  manifest: string,
  signatures: readonly Attachment[],
): Promise<void> {
  const config = toBlob({}, OCI_CONFIG);
  const blobs = signatures.map(({ payload }): TestBlob => ({
    ...toBlob(null, 'application/vnd.dev.cosign.simplesigning.v1+json'),
    data: payload,
    digest: `sha256:${createHash('sha256').update(payload).digest('hex')}`,
  }));
  for (const blob of [config, ...blobs]) await pushBlob(registry, repository, blob);
  const layers = blobs.map((blob, index) => ({
    ...toDescriptor(blob),
    annotations: signatures[index]?.annotations,
  }));
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: toDescriptor(config), layers };
  const tag = `${manifest.replace(':', '-')}.sig`;
  await pushManifest(registry, repository, tag, toBlob(document, OCI_MANIFEST));
}

/** Extensions as Fulcio sets them. */
export function fulcioExtensions(email: string, issuer: string): string {
  return `subjectAltName = critical, email:${email}
keyUsage = critical, digitalSignature
extendedKeyUsage = codeSigning
1.3.6.1.4.1.57264.1.8 = ASN1:UTF8String:${issuer}
`;
}

export function readSigningKey({ cert, key }: Certificate): SigningKey {
  return { key: createPrivateKey(readFileSync(key)), pem: readFileSync(cert, 'utf8') };
}
