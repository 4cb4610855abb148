// Signatures by keys, with and without a transparency log. Those by certificates: verify-certificate.test.ts.

import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseReference } from '../reference.ts';
import { logSignature, newSigningKey, signPayload, toPayload, type SigningKey } from '../testing/sign.ts';
import type { Attachment } from './attachments.ts';
import type { Trust } from './trust.ts';
import { verifySignature, type Verification } from './verify.ts';

const MANIFEST = `sha256:${'1'.repeat(64)}`;
const OTHER = `sha256:${'2'.repeat(64)}`;
const NAME = 'registry.example/app:1';
const signer = newSigningKey();
const stranger = newSigningKey();
const log = newSigningKey();

const publicKeyOf = ({ pem }: SigningKey) => createPublicKey(pem);

function trusting(keys: readonly SigningKey[], logs: readonly SigningKey[] = []): Trust {
  return { signers: { kind: 'keys', keys: keys.map(publicKeyOf) }, logKeys: logs.map(publicKeyOf) };
}

function verification(trust: Trust): Verification {
  return { trust, identity: { type: 'matchExact' }, wanted: parseReference(NAME), manifest: MANIFEST };
}

const verify = (signature: Attachment, trust = trusting([signer])) => {
  verifySignature(signature, verification(trust));
};

const SIGNATURE = signPayload(toPayload(MANIFEST, NAME), signer);
const LOGGED = logSignature(SIGNATURE, signer, { log });

function withAnnotation(signature: Attachment, name: string, text: string): Attachment {
  return { ...signature, annotations: { ...signature.annotations, [name]: text } };
}

test('a signature by one of the keys is good', () => {
  verify(SIGNATURE, trusting([stranger, signer]));
});

test.each([
  ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['Ed25519', generateKeyPairSync('ed25519')],
  ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
])('keys may be of the kind %s', (_, { privateKey, publicKey }) => {
  const key = { key: privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) as string };
  verify(signPayload(toPayload(MANIFEST, NAME), key), trusting([key]));
});

test('a signature by another key is refused', () => {
  expect(() => {
    verify(SIGNATURE, trusting([stranger]));
  }).toThrow('signature verification failed');
});

test('a payload that was changed is refused', () => {
  const payload = Buffer.from(SIGNATURE.payload.toString().replace('app:1', 'app:2'));
  expect(() => {
    verify({ ...SIGNATURE, payload });
  }).toThrow('signature verification failed');
});

test.each([
  ['of another manifest', toPayload(OTHER, NAME), /one of "sha256:2/],
  ['of another name', toPayload(MANIFEST, 'registry.example/other:1'), /one of "registry.example\/other:1"/],
  ['of something that is no image', { ...toPayload(MANIFEST, NAME), more: 1 }, /Unrecognized key/],
  ['without a type', { critical: {}, optional: null }, /critical/],
  ['of no digest', toPayload('sha256:1', NAME), /must be a digest/],
])('a signature %s is refused', (_, payload, message) => {
  const signature = signPayload(payload, signer);
  expect(() => {
    verify(signature);
  }).toThrow(message);
});

test.each([
  ['is missing', undefined],
  ['is no base64', '!'],
  ['is empty', ''],
  ['is huge', 'a'.repeat(100_000)],
])('an attachment whose signature %s is refused', (_, text) => {
  const annotations = text === undefined ? {} : { 'dev.cosignproject.cosign/signature': text };
  expect(() => {
    verify({ payload: SIGNATURE.payload, annotations });
  }).toThrow(/cannot read its annotations/);
});

test('with a log its word is needed as well', () => {
  const trust = trusting([stranger, signer], [newSigningKey(), log]);
  verify(LOGGED, trust);
  expect(() => {
    verify(SIGNATURE, trust);
  }).toThrow(/transparency log.*no JSON/);
});

test.each<[string, Attachment, RegExp]>([
  [
    'another log',
    logSignature(SIGNATURE, signer, { log: stranger }),
    /inclusion promise could not be verified/,
  ],
  [
    'the signature of somebody else',
    logSignature(SIGNATURE, stranger, { log }),
    /log has the signature of another key/,
  ],
  [
    'another signature',
    withAnnotation(
      LOGGED,
      'dev.cosignproject.cosign/signature',
      signPayload(toPayload(MANIFEST, NAME), signer).annotations['dev.cosignproject.cosign/signature'] ?? '',
    ),
    /signature mismatch/,
  ],
  [
    'another time than it signed',
    withAnnotation(
      LOGGED,
      'dev.sigstore.cosign/bundle',
      (LOGGED.annotations['dev.sigstore.cosign/bundle'] ?? '').replace(
        /"integratedTime":\d+/,
        '"integratedTime":1',
      ),
    ),
    /inclusion promise could not be verified/,
  ],
  ['no JSON', withAnnotation(LOGGED, 'dev.sigstore.cosign/bundle', '{'), /no JSON/],
  ['other keys', withAnnotation(LOGGED, 'dev.sigstore.cosign/bundle', '{"a":1}'), /SignedEntryTimestamp/],
])('a log entry with %s is refused', (_, signature, message) => {
  expect(() => {
    verify(signature, trusting([signer], [log]));
  }).toThrow(message);
});
