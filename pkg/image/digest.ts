// Content addresses: `sha256:` and 64 hexadecimal digits. What is fetched is believed only once it matches.

import { createHash } from 'node:crypto';
import { Fault } from '../base/fault.ts';

/** `sha256:<64 hex>` or `sha512:<128 hex>`. */
export type Digest = string;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** For `createHash()`: the part before the colon. */
export function algorithmOf(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':'));
}

/** The part after the colon. */
export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

export function sha256Of(data: Buffer | string): Digest {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

/**
 * @param what for the message: `manifest`
 * @throws {Fault} data_loss — `data` is not what the digest stands for
 */
export function verifyDigest(data: Buffer, digest: Digest, what: string): void {
  const algorithm = algorithmOf(digest);
  const actual = `${algorithm}:${createHash(algorithm).update(data).digest('hex')}`;
  if (actual === digest) return;
  throw new Fault('data_loss', `cannot use ${what} "${digest}": what came has the digest "${actual}"`, {
    detail: { digest, actual },
  });
}

/**
 * The identity of a stack of layers: that of one layer is its diff id, that of more is the digest of
 * `<identity of those below> <diff id>`. Source: OCI image specification, config, "Layer ChainID".
 *
 * @param diffIds the lowest first
 * @returns one for each layer with all below it
 */
export function toChainIds(diffIds: readonly Digest[]): Digest[] {
  const chainIds: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chainIds.at(-1);
    chainIds.push(below === undefined ? diffId : sha256Of(`${below} ${diffId}`));
  }
  return chainIds;
}
