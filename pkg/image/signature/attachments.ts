// The signatures that lie beside an image in its repository, where cosign puts them: the layers of an image whose
// tag is made of the digest that they are about. Everything of them is anybody's, and bounded.
// Source: cosign, specs/SIGNATURE_SPEC.md.

import * as z from 'zod';
import { Fault } from '../../base/fault.ts';
import { decode } from '../../codec/decode.ts';
import { verifyDigest, type Digest } from '../digest.ts';
import { descriptorSchema, parseJson, type Descriptor } from '../manifest.ts';
import { readBody } from '../registry/body.ts';
import type { RegistrySession } from '../registry/client.ts';
import { signatureRefusal } from './refusal.ts';

const SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';
const MAX_SIGNATURES = 64;
const MAX_PAYLOAD_BYTES = 64 * 1024;
const attachmentsSchema = z.object({ layers: z.array(descriptorSchema) });

/** What is said to be a signature. */
export interface Attachment {
  readonly payload: Buffer;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Each signature of the manifest, fetched when it is asked for.
 *
 * @throws {Fault} while iterating: failed_precondition — there are too many, or one is too large; what the registry
 *   has
 */
export async function* signaturesOf(
  session: Pick<RegistrySession, 'manifest' | 'open'>,
  manifest: Digest,
  signal: AbortSignal,
): AsyncGenerator<Attachment> {
  const layers = await findAttachments(session, manifest, signal);
  const signatures = layers.filter(({ mediaType }) => mediaType === SIMPLE_SIGNING);
  if (signatures.length > MAX_SIGNATURES)
    throw signatureRefusal(`manifest "${manifest}"`, `it has over ${MAX_SIGNATURES} signatures`);
  for (const layer of signatures) yield await fetchSignature(session, layer, signal);
}

async function findAttachments(
  session: Pick<RegistrySession, 'manifest'>,
  manifest: Digest,
  signal: AbortSignal,
): Promise<Descriptor[]> {
  if (!manifest.startsWith('sha256:')) return []; // a tag cannot be as long as other digests are
  try {
    const { data } = await session.manifest(`${manifest.replace(':', '-')}.sig`, signal);
    const what = `the signatures of "${manifest}"`;
    return decode(attachmentsSchema, parseJson(data, what), what, 'data_loss').layers;
  } catch (error) {
    if (Fault.is(error, 'not_found')) return [];
    throw error;
  }
}

async function fetchSignature(
  session: Pick<RegistrySession, 'open'>,
  layer: Descriptor,
  signal: AbortSignal,
): Promise<Attachment> {
  const what = `signature "${layer.digest}"`;
  if (layer.size > MAX_PAYLOAD_BYTES) throw signatureRefusal(what, `it has over ${MAX_PAYLOAD_BYTES} bytes`);
  const payload = await readBody(session.open(layer, signal), MAX_PAYLOAD_BYTES, what);
  verifyDigest(payload, layer.digest, 'signature');
  return { payload, annotations: layer.annotations ?? {} };
}
