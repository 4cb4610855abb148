// Signatures by certificates that an authority like Fulcio gave out.

import { mkdtempSync, rmSync } from 'node:fs';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeAuthority, makeCertificate, type Certificate } from '../../sys/testing/certificates.ts';
import { parseReference } from '../reference.ts';
import {
  fulcioExtensions,
  logSignature,
  newSigningKey,
  readSigningKey,
  signPayload,
  toPayload,
  withCertificate,
} from '../testing/sign.ts';
import { verifySignature } from './verify.ts';

const MANIFEST = `sha256:${'1'.repeat(64)}`;
const NAME = 'registry.example/app:1';
const EMAIL = 'ada@example.com';
const ISSUER = 'https://issuer.example';
const INTERMEDIATE = 'basicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, keyCertSign\n';
const FULCIO = fulcioExtensions(EMAIL, ISSUER);
const IN_A_WEEK = new Date(Date.now() + 7 * 86_400_000);

const log = newSigningKey();
let dir: string;
let root: Certificate;
let otherRoot: Certificate;
let intermediate: Certificate;
let leaf: Certificate;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-fulcio-'));
  root = await makeAuthority(dir, 'root');
  otherRoot = await makeAuthority(dir, 'other-root');
  intermediate = await makeCertificate(dir, 'intermediate', root, INTERMEDIATE);
  leaf = await makeCertificate(dir, 'leaf', root, FULCIO);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const pemOf = (certificate: Certificate): string => readSigningKey(certificate).pem;

interface Options {
  readonly chain?: readonly Certificate[];
  readonly at?: Date;
  readonly roots?: readonly Certificate[];
  readonly identity?: { oidcIssuer?: string; subjectEmail?: string };
}

function verify(certificate: Certificate, { chain = [], at, roots = [root], identity }: Options = {}): void {
  const signer = readSigningKey(certificate);
  const logged = logSignature(signPayload(toPayload(MANIFEST, NAME), signer), signer, {
    log,
    ...(at !== undefined && { at }),
  });
  verifySignature(withCertificate(logged, signer.pem, chain.map(pemOf).join('')), {
    trust: {
      signers: {
        kind: 'fulcio',
        roots: roots.map((authority) => new X509Certificate(pemOf(authority))),
        identity: { oidcIssuer: ISSUER, subjectEmail: EMAIL, ...identity },
      },
      logKeys: [createPublicKey(log.pem)],
    },
    identity: { type: 'matchExact' },
    wanted: parseReference(NAME),
    manifest: MANIFEST,
  });
}

test('a signature by a certificate of the authority for the wanted person is good', () => {
  verify(leaf, { roots: [otherRoot, root] });
});

test('the certificate may come from an authority below', async () => {
  const below = await makeCertificate(dir, 'below', intermediate, FULCIO);
  verify(below, { chain: [intermediate, root] });
  expect(() => {
    verify(below);
  }).toThrow('comes from no authority of the policy');
});

test('an authority that only the signer vouches for is none', async () => {
  const own = await makeCertificate(dir, 'own', otherRoot, FULCIO);
  expect(() => {
    verify(own, { chain: [otherRoot, root] });
  }).toThrow('comes from no authority of the policy');
});

test('who is no authority gives out no certificates', async () => {
  const below = await makeCertificate(dir, 'below-leaf', leaf, FULCIO);
  expect(() => {
    verify(below, { chain: [leaf, root] });
  }).toThrow(/no authority of the policy|not one of an authority/);
});

test('an authority may be forbidden to have others below', async () => {
  const second = await makeCertificate(dir, 'second', intermediate, INTERMEDIATE);
  const below = await makeCertificate(dir, 'below-second', second, FULCIO);
  expect(() => {
    verify(below, { chain: [second, intermediate, root] });
  }).toThrow('not one of an authority');
});

test('the certificate must have been valid when the log saw the signature', () => {
  expect(() => {
    verify(leaf, { at: IN_A_WEEK });
  }).toThrow(/was not valid at/);
});

test.each([
  ['another person', { subjectEmail: 'eve@example.com' }, /not one of "eve@example.com"/],
  ['another issuer', { oidcIssuer: 'https://other.example' }, /known to \["https:\/\/issuer.example"\]/],
])('a signature is refused when the policy wants %s', (_, identity, message) => {
  expect(() => {
    verify(leaf, { identity });
  }).toThrow(message);
});

test.each([
  ['not for signing code', FULCIO.replace('codeSigning', 'serverAuth'), /not for signing code/],
  ['without an issuer', FULCIO.replace(/^1\.3\.6.*$/m, ''), /known to \[\]/],
  ['with two different issuers', `${FULCIO}1.3.6.1.4.1.57264.1.1 = DER:61\n`, /known to \["a",/],
  [
    'with a restriction that we do not know',
    `${FULCIO}1.2.3.4 = critical, DER:0500\n`,
    /critical extension 1.2.3.4/,
  ],
])('a certificate %s is refused', async (_, extensions, message) => {
  const certificate = await makeCertificate(dir, 'odd', root, extensions);
  expect(() => {
    verify(certificate);
  }).toThrow(message);
});

test('a certificate that the log did not see is refused', async () => {
  const signer = readSigningKey(leaf);
  const other = await makeCertificate(dir, 'other', root, FULCIO);
  const logged = logSignature(signPayload(toPayload(MANIFEST, NAME), signer), signer, { log });
  const trust = {
    signers: {
      kind: 'fulcio' as const,
      roots: [new X509Certificate(pemOf(root))],
      identity: { oidcIssuer: ISSUER, subjectEmail: EMAIL },
    },
    logKeys: [createPublicKey(log.pem)],
  };
  const verification = {
    trust,
    identity: { type: 'matchExact' as const },
    wanted: parseReference(NAME),
    manifest: MANIFEST,
  };
  expect(() => {
    verifySignature(withCertificate(logged, pemOf(other)), verification);
  }).toThrow('log has the signature of another key');
});
