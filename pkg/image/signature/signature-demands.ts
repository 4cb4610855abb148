// What must be signed by whom before one image may be used, and whether it is.

import type { Digest } from '../digest.ts';
import type { Reference } from '../reference.ts';
import type { RegistrySession } from '../registry/client.ts';
import { signaturesOf } from './attachments.ts';
import type { SigstoreSigned } from './policy.ts';
import { signatureRefusal } from './refusal.ts';
import { readTrust, type Trust } from './trust.ts';
import { verifySignature } from './verify.ts';

/** What stands between a reference and its image; nothing if `isEmpty`. */
export interface SignatureDemands {
  readonly isEmpty: boolean;
  /**
   * @param manifests that are the image: its own, and the index that lists it. A signature of one is enough
   * @throws {Fault} failed_precondition — a demand is not fulfilled, prefixed `SignatureValidationFailed: `; what
   *   the registry has
   */
  check(
    session: Pick<RegistrySession, 'manifest' | 'open'>,
    manifests: ReadonlySet<Digest>,
    signal: AbortSignal,
  ): Promise<void>;
}

interface Demand {
  readonly requirement: SigstoreSigned;
  readonly trust: Trust;
}

const MAX_REASONS = 5;

/** @throws {Fault} failed_precondition — a key cannot be read */
export async function readDemands(
  wanted: Reference,
  requirements: readonly SigstoreSigned[],
): Promise<SignatureDemands> {
  const demands = await Promise.all(
    requirements.map(async (requirement) => ({ requirement, trust: await readTrust(requirement) })),
  );
  return {
    isEmpty: false,
    check: async (session, manifests, signal) => {
      for (const demand of demands) await expectSigned({ session, manifests, signal }, wanted, demand);
    },
  };
}

interface Candidates {
  readonly session: Pick<RegistrySession, 'manifest' | 'open'>;
  readonly manifests: ReadonlySet<Digest>;
  readonly signal: AbortSignal;
}

/** One good signature is enough. */
async function expectSigned(
  { session, manifests, signal }: Candidates,
  wanted: Reference,
  { requirement: { signedIdentity: identity }, trust }: Demand,
): Promise<void> {
  const reasons: string[] = [];
  for (const manifest of manifests) {
    for await (const signature of signaturesOf(session, manifest, signal)) {
      try {
        verifySignature(signature, { trust, identity, wanted, manifest });
        return;
      } catch (error) {
        reasons.push(error instanceof Error ? error.message : String(error));
      }
    }
  }
  const told = [...new Set(reasons)].slice(0, MAX_REASONS).join('; ');
  const why = told === '' ? 'it is not signed' : `none of its signatures counts: ${told}`;
  throw signatureRefusal(`image "${wanted.toString()}"`, why);
}
