// The certificate that Fulcio gave to whoever signed, for some minutes: whether it comes from an authority that we
// trust, and whom it names. The verifier of sigstore has this too, but only together with certificate transparency,
// for which a policy has no key.
// Source: containers/image, signature/fulcio_cert.go; Fulcio, docs/oid-info.md; RFC 5280.

import { X509Certificate } from 'node:crypto';
import { X509Certificate as DecodedCertificate } from '@sigstore/core';
import { Fault } from '../../base/fault.ts';

export interface FulcioIdentity {
  /** https://accounts.example.com */
  readonly oidcIssuer: string;
  readonly subjectEmail: string;
}

const MAX_CERTIFICATES = 8;
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const ISSUER_V1 = '1.3.6.1.4.1.57264.1.1';
const ISSUER_V2 = '1.3.6.1.4.1.57264.1.8';
/** Key usage, alternative names, basic constraints, extended key usage: what is looked at here, or by OpenSSL. */
const UNDERSTOOD = new Set(['2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.37']);

/** @throws {Fault} failed_precondition — there is none, or something else */
export function parseCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw refusal('there is no certificate');
  if (blocks.length > MAX_CERTIFICATES) throw refusal(`there are over ${MAX_CERTIFICATES} certificates`);
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * @param intermediates from the registry: believed only if one of `roots` vouches for them
 * @throws {Fault} failed_precondition — no way leads to one of `roots`, or the certificate may not be used for this
 */
export function verifyChain(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  at: Date,
): void {
  const chain = findChain(leaf, intermediates, roots);
  for (const [depth, certificate] of chain.entries()) {
    if (at < certificate.validFromDate || at > certificate.validToDate)
      throw refusal(`a certificate was not valid at ${at.toISOString()}, when the signature was logged`);
    const decoded = decodeCertificate(certificate);
    expectUnderstood(decoded);
    if (depth > 0) expectAuthority(certificate, decoded, depth - 1);
  }
  if (!extendedUsagesOf(leaf).includes(CODE_SIGNING))
    throw refusal('its certificate is not for signing code');
}

/** @throws {Fault} failed_precondition — the certificate is somebody else's */
export function expectIdentity(leaf: X509Certificate, { oidcIssuer, subjectEmail }: FulcioIdentity): void {
  const issuers = issuersOf(decodeCertificate(leaf));
  if (issuers.length === 0 || issuers.some((issuer) => issuer !== oidcIssuer)) {
    throw refusal(`its signer was known to ${JSON.stringify(issuers)}, not to "${oidcIssuer}"`);
  }
  if (leaf.checkEmail(subjectEmail, { subject: 'never' }) !== undefined) return;
  throw refusal(`its certificate is not one of "${subjectEmail}"`);
}

/** The leaf first, one of the roots last. */
function findChain(
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): X509Certificate[] {
  const chain = [leaf];
  for (let here = leaf; chain.length < MAX_CERTIFICATES;) {
    const isIssuer = (other: X509Certificate) => here.checkIssued(other) && here.verify(other.publicKey);
    const root = roots.find(isIssuer);
    if (root !== undefined) return [...chain, root];
    const next = intermediates.find((other) => !chain.includes(other) && isIssuer(other));
    if (next === undefined) break;
    chain.push(next);
    here = next;
  }
  throw refusal('its certificate comes from no authority of the policy');
}

/** @param below how many authorities are between it and the leaf */
function expectAuthority(certificate: X509Certificate, decoded: DecodedCertificate, below: number): void {
  const maxBelow = decoded.extBasicConstraints?.pathLenConstraint;
  if (!certificate.ca || !decoded.isCA || (maxBelow !== undefined && maxBelow < below)) {
    throw refusal('a certificate above its own is not one of an authority for it');
  }
  const usages = extendedUsagesOf(certificate);
  if (usages.length > 0 && !usages.includes(CODE_SIGNING))
    throw refusal('an authority above its certificate is not for signing code');
}

/** Node leaves it away when there is none, which its types do not tell. */
function extendedUsagesOf(certificate: { readonly keyUsage?: readonly string[] }): readonly string[] {
  return certificate.keyUsage ?? [];
}

/** What an authority marks as critical restricts the certificate: who does not know it must refuse. */
function expectUnderstood(decoded: DecodedCertificate): void {
  const oids = oidsOf(decoded);
  if (new Set(oids).size < oids.length) throw refusal('a certificate has an extension twice');
  const unknown = oids.find((oid) => !UNDERSTOOD.has(oid) && decoded.extension(oid)?.critical === true);
  if (unknown !== undefined) throw refusal(`a certificate has the critical extension ${unknown}`);
}

/** Fulcio writes it in two ways: as plain text, and as a string of ASN.1. */
function issuersOf(decoded: DecodedCertificate): string[] {
  const plain = decoded.extension(ISSUER_V1)?.value.toString();
  const encoded = decoded.extension(ISSUER_V2)?.valueObj.subs[0]?.value.toString();
  return [plain, encoded].filter((issuer) => issuer !== undefined);
}

function oidsOf({ extensions }: DecodedCertificate): string[] {
  return extensions.map(({ subs }) => subs[0]?.toOID() ?? '');
}

function decodeCertificate(certificate: X509Certificate): DecodedCertificate {
  return DecodedCertificate.parse(certificate.raw);
}

function refusal(why: string): Fault {
  return new Fault('failed_precondition', why);
}
