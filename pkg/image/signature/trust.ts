// The keys and certificates that a requirement of the policy names, read anew each time: a key that was taken away
// counts no more.

import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto';
import { Fault } from '../../base/fault.ts';
import { parseCertificates, type FulcioIdentity } from './certificate.ts';
import type { SigstoreSigned } from './policy.ts';
import { readSmallFile } from './small-file.ts';

/** Who may sign. */
export type Signers =
  | { readonly kind: 'keys'; readonly keys: readonly KeyObject[] }
  | {
      readonly kind: 'fulcio';
      readonly roots: readonly X509Certificate[];
      readonly identity: FulcioIdentity;
    };

export interface Trust {
  readonly signers: Signers;
  /** Of the transparency logs, one of which must have the signature; none if that does not matter. */
  readonly logKeys: readonly KeyObject[];
}

/** One thing of the policy in all forms in which it may be given. */
interface Sources {
  readonly path?: string | undefined;
  readonly paths?: readonly string[] | undefined;
  readonly data?: Buffer | undefined;
  readonly datas?: readonly Buffer[] | undefined;
}

/** @throws {Fault} failed_precondition — something cannot be read, or is no key */
export async function readTrust(requirement: SigstoreSigned): Promise<Trust> {
  const { keyPath, keyPaths, keyData, keyDatas } = requirement;
  const { rekorPublicKeyPath, rekorPublicKeyPaths, rekorPublicKeyData, rekorPublicKeyDatas } = requirement;
  const logKeys = await readKeys({
    path: rekorPublicKeyPath,
    paths: rekorPublicKeyPaths,
    data: rekorPublicKeyData,
    datas: rekorPublicKeyDatas,
  });
  const { fulcio } = requirement;
  if (fulcio === undefined) {
    const keys = await readKeys({ path: keyPath, paths: keyPaths, data: keyData, datas: keyDatas });
    return { signers: { kind: 'keys', keys }, logKeys };
  }
  const { oidcIssuer, subjectEmail } = fulcio;
  const roots = await readRoots({ path: fulcio.caPath, data: fulcio.caData });
  return { signers: { kind: 'fulcio', roots, identity: { oidcIssuer, subjectEmail } }, logKeys };
}

async function readKeys(sources: Sources): Promise<KeyObject[]> {
  const texts = await readAll(sources);
  return texts.map(({ name, data }) => explained(name, 'a public key', () => createPublicKey(data)));
}

async function readRoots(sources: Sources): Promise<X509Certificate[]> {
  const texts = await readAll(sources);
  return texts.flatMap(({ name, data }) =>
    explained(name, 'certificates of an authority', () => parseCertificates(data.toString())),
  );
}

async function readAll({
  path,
  paths = [],
  data,
  datas = [],
}: Sources): Promise<{ name: string; data: Buffer }[]> {
  const files = path === undefined ? paths : [path];
  const given = data === undefined ? datas : [data];
  return [
    ...(await Promise.all(
      files.map(async (file) => ({ name: `"${file}"`, data: await readSmallFile(file, 'key') })),
    )),
    ...given.map((bytes) => ({ name: 'the data in the policy', data: bytes })),
  ];
}

function explained<T>(name: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new Fault('failed_precondition', `cannot read ${name} as ${what} in PEM`, { cause });
  }
}
