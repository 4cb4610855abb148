// The policy: what an image must fulfil before anything of it is used, by where it comes from. A file that is not
// understood in full is refused in full: a typing error must not let anything in.
// Source: containers-policy.json(5). Of it `signedBy`, `signedBaseLayer` and `pki` are not here.

import * as z from 'zod';
import { decode } from '../../codec/decode.ts';
import { parseStrictJson } from '../../codec/strict-json.ts';

const path = z.string().regex(/^\/[^\0]*$/, 'must be an absolute path');
const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));

/** The names under which one thing may be given: exactly one of them must be. */
function exactlyOne(names: readonly string[], atMost?: 'or none') {
  return (given: Readonly<Record<string, unknown>>, context: z.RefinementCtx): void => {
    const count = names.filter((name) => given[name] !== undefined).length;
    if (count === 1 || (count === 0 && atMost === 'or none')) return;
    const amount = atMost === 'or none' ? 'at most one' : 'exactly one';
    context.addIssue({ code: 'custom', message: `must have ${amount} of ${names.join(', ')}` });
  };
}

const reference = z.string().min(1);

const signedIdentity = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('matchExact') }),
  z.strictObject({ type: z.literal('matchRepoDigestOrExact') }),
  z.strictObject({ type: z.literal('matchRepository') }),
  z.strictObject({ type: z.literal('exactReference'), dockerReference: reference }),
  z.strictObject({ type: z.literal('exactRepository'), dockerRepository: reference }),
  z.strictObject({ type: z.literal('remapIdentity'), prefix: reference, signedPrefix: reference }),
]);

const fulcio = z
  .strictObject({
    caPath: path.optional(),
    caData: base64.optional(),
    oidcIssuer: z.string().min(1),
    subjectEmail: z.string().min(1),
  })
  .superRefine(exactlyOne(['caPath', 'caData']));

const KEYS = ['keyPath', 'keyPaths', 'keyData', 'keyDatas', 'fulcio'];
const LOG_KEYS = ['rekorPublicKeyPath', 'rekorPublicKeyPaths', 'rekorPublicKeyData', 'rekorPublicKeyDatas'];

const sigstoreSigned = z
  .strictObject({
    type: z.literal('sigstoreSigned'),
    keyPath: path.optional(),
    keyPaths: z.array(path).min(1).optional(),
    keyData: base64.optional(),
    keyDatas: z.array(base64).min(1).optional(),
    fulcio: fulcio.optional(),
    rekorPublicKeyPath: path.optional(),
    rekorPublicKeyPaths: z.array(path).min(1).optional(),
    rekorPublicKeyData: base64.optional(),
    rekorPublicKeyDatas: z.array(base64).min(1).optional(),
    signedIdentity: signedIdentity.default({ type: 'matchRepoDigestOrExact' }),
  })
  .superRefine(exactlyOne(KEYS))
  .superRefine(exactlyOne(LOG_KEYS, 'or none'))
  .superRefine((given, context) => {
    if (given.fulcio === undefined || LOG_KEYS.some((name) => name in given)) return;
    // The certificate was good for ten minutes; only the log's word says that it signed then.
    context.addIssue({ code: 'custom', message: `with fulcio must have one of ${LOG_KEYS.join(', ')}` });
  });

const requirement = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('insecureAcceptAnything') }),
  z.strictObject({ type: z.literal('reject') }),
  sigstoreSigned,
]);

/** All of them must be fulfilled. */
const requirements = z.array(requirement).min(1);

const policySchema = z.strictObject({
  default: requirements,
  transports: z.record(z.string(), z.record(z.string(), requirements)).default({}),
});

export type Policy = z.output<typeof policySchema>;
export type Requirement = z.output<typeof requirement>;
export type SigstoreSigned = z.output<typeof sigstoreSigned>;
export type SignedIdentity = z.output<typeof signedIdentity>;

/**
 * @param what `signature policy "/etc/davit/policy.json"`
 * @throws {Fault} failed_precondition — naming what is wrong
 */
export function parsePolicy(text: string, what: string): Policy {
  const json = parseStrictJson(text, what, 'failed_precondition');
  return decode(policySchema, json, what, 'failed_precondition');
}
