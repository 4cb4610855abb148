// Whether a signature, which names an image, is meant for the image that is wanted.
// Source: containers-policy.json(5), "signedIdentity".

import { isNameOnly, parseReference, toName, type Reference } from '../reference.ts';
import type { SignedIdentity } from './policy.ts';

/**
 * @param wanted what is pulled
 * @param signed the `docker-reference` of a signature, from anybody: `registry.example/app:1`
 */
export function matchesIdentity(identity: SignedIdentity, wanted: Reference, signed: string): boolean {
  const signer = parse(signed);
  if (signer === undefined) return false;
  switch (identity.type) {
    case 'matchExact':
      return isExactly(signer, fullNameOf(wanted));
    case 'matchRepoDigestOrExact':
      return matchesDigestOrExact(wanted, signer);
    case 'matchRepository':
      return signer.name === toName(wanted);
    case 'exactReference':
      return isExactly(signer, parse(identity.dockerReference)?.full);
    case 'exactRepository':
      return signer.name === parse(identity.dockerRepository)?.name;
    case 'remapIdentity':
      return matchesDigestOrExact(remap(wanted, identity), signer);
  }
}

interface Named {
  /** `registry.example/app` */
  readonly name: string;
  /** `registry.example/app:1`; not there if neither a tag nor a digest is written. */
  readonly full: string | undefined;
}

function parse(text: string): Named | undefined {
  try {
    const reference = parseReference(text);
    return { name: toName(reference), full: isNameOnly(text) ? undefined : reference.toString() };
  } catch {
    return undefined; // a text that names nothing matches nothing
  }
}

/** A tag beside a digest does not count. */
function fullNameOf(reference: Reference): string {
  const { tag, digest } = reference;
  return toName(reference) + (digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`);
}

function isExactly({ full }: Named, other: string | undefined): boolean {
  return full !== undefined && full === other;
}

/** Pulled by its digest, the image is the one that was signed: only the repository is left to compare. */
function matchesDigestOrExact(wanted: Reference, { name, full }: Named): boolean {
  if (full === undefined) return false;
  return wanted.digest === undefined ? full === fullNameOf(wanted) : name === toName(wanted);
}

/** As if the image came from where it is a mirror of. */
function remap(
  wanted: Reference,
  { prefix, signedPrefix }: Extract<SignedIdentity, { type: 'remapIdentity' }>,
): Reference {
  const name = toName(wanted);
  if (name !== prefix && !name.startsWith(`${prefix}/`)) return wanted;
  return parseReference(signedPrefix + fullNameOf(wanted).slice(prefix.length));
}
