// Identifiers are strings that the compiler keeps apart. Ours are 64 hexadecimal digits, as cAdvisor and
// every log shipper expect in cgroup and file names.

import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type SandboxId = Branded<'SandboxId'>;
export type ContainerId = Branded<'ContainerId'>;
/** `sha256:` and 64 hexadecimal digits: the digest of the image's config, its identity everywhere. */
export type ImageId = Branded<'ImageId'>;

export const newSandboxId = (): SandboxId => randomHex() as SandboxId;
export const newContainerId = (): ContainerId => randomHex() as ContainerId;

/** 256 random bits: cannot be guessed, never used again. */
function randomHex(): string {
  return randomBytes(32).toString('hex');
}
