// Which images a signature policy lets in, against a real registry with signatures where cosign puts them.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newSigningKey, pushSignatures, signPayload, toPayload } from '../../pkg/image/testing/sign.ts';
import { writeDockerArchive } from './harness/image-archive.ts';
import { buildImage, type BuiltImage } from './harness/image-builder.ts';
import { refusalOf, type Refusal } from './harness/refusal.ts';
import { Registry } from './harness/registry.ts';
import { useNode } from './harness/use-node.ts';

const dir = mkdtempSync(join(tmpdir(), 'davit-e2e-policy-'));
const policyPath = join(dir, 'policy.json');
const keyPath = join(dir, 'cosign.pub');
const node = useNode({ config: `[image]\nsignature_policy = "${policyPath}"` });

const signer = newSigningKey();
const ACCEPT = [{ type: 'insecureAcceptAnything' }];
const REJECT = [{ type: 'reject' }];
/** As cosign signs: the name in a signature has no tag. */
const SIGNED = [{ type: 'sigstoreSigned', keyPath, signedIdentity: { type: 'matchRepository' } }];

let registry: Registry;
let image: BuiltImage;
let digest: string;

function writePolicy(scopes: object, archives: object = { 'oci-archive': { '': ACCEPT } }): void {
  writeFileSync(policyPath, JSON.stringify({ default: REJECT, transports: { ...archives, docker: scopes } }));
}

writeFileSync(keyPath, signer.pem);
writePolicy({});

beforeAll(async () => {
  registry = await Registry.start(node.place);
  image = await buildImage({ layers: [{ entries: [{ path: '/a', data: 'a' }] }] });
  for (const name of ['signed', 'unsigned', 'strange', 'moved', 'other'])
    digest = await registry.push(`apps/${name}`, 'v1', image);
  await sign('signed', digest, signer);
  await sign('strange', digest, newSigningKey());
  await pushSignatures(registry.host, 'apps/moved', digest, [signatureOf('signed', digest)]);
  await pushSignatures(registry.host, 'apps/other', digest, [signatureOf('other', image.id)]);
});
beforeEach(() => {
  writePolicy({ [registry.host]: SIGNED });
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

const nameOf = (name: string): string => `${registry.host}/apps/${name}`;
const signatureOf = (name: string, manifest: string, key = signer) =>
  signPayload(toPayload(manifest, nameOf(name)), key);

async function sign(name: string, manifest: string, key = signer): Promise<void> {
  await pushSignatures(registry.host, `apps/${name}`, manifest, [signatureOf(name, manifest, key)]);
}

async function pull(name: string): Promise<string> {
  const { imageRef } = await node.client.pullImage({ image: { image: `${nameOf(name)}:v1` } });
  await node.client.removeImage({ image: { image: imageRef } });
  return imageRef;
}

const refusal = (name: string): Promise<Refusal> => refusalOf(pull(name));

/** As the kubelet looks for it. */
const failedWith = (message: RegExp) => ({
  code: 'UNKNOWN',
  message: expect.stringMatching(
    new RegExp(`^SignatureValidationFailed: .*${message.source}`, 's'),
  ) as string,
});

test('an image that is signed as the policy wants is pulled, by its tag and by its digest', async () => {
  expect(await pull('signed')).toBe(image.id);
  const byDigest = { image: { image: `${nameOf('signed')}@${digest}` } };
  expect((await node.client.pullImage(byDigest)).imageRef).toBe(image.id);
  await node.client.removeImage({ image: { image: image.id } });
});

test.each([
  ['that is not signed', 'unsigned', /it is not signed/],
  ['signed by somebody else', 'strange', /signature verification failed/],
  ['with a signature of another repository', 'moved', /it is one of ".*apps\/signed"/],
  ['with a signature of another manifest', 'other', /it is one of "sha256:/],
])('an image %s is refused, and nothing of it is kept', async (_, name, message) => {
  expect(await refusal(name)).toEqual(failedWith(message));
  expect((await node.client.imageStatus({ image: { image: image.id } })).image).toBeUndefined();
});

test('what the policy rejects is refused, and what it accepts is pulled without a signature', async () => {
  writePolicy({ [registry.host]: REJECT, [nameOf('unsigned')]: ACCEPT });
  expect(await refusal('signed')).toEqual(failedWith(/rejects it/));
  expect(await pull('unsigned')).toBe(image.id);
});

test('an image that is here is refused when it is pulled again under a policy that rejects it', async () => {
  await node.client.pullImage({ image: { image: `${nameOf('signed')}:v1` } });
  writePolicy({ [registry.host]: REJECT });
  expect(await refusal('signed')).toEqual(failedWith(/rejects it/));
  await node.client.removeImage({ image: { image: image.id } });
});

test('with a policy that cannot be read nothing is pulled, and the daemon goes on', async () => {
  writeFileSync(policyPath, '{"default":[{"type":"insecureAcceptAnything"}],"transport":{}}');
  expect(await refusal('signed')).toEqual(failedWith(/Unrecognized key: "transport"/));
  rmSync(policyPath);
  expect(await refusal('signed')).toEqual(failedWith(/cannot read signature policy/));
  writePolicy({ [registry.host]: SIGNED });
  expect(await pull('signed')).toBe(image.id);
});

test('a key that is gone lets nothing in', async () => {
  writePolicy({ [registry.host]: [{ type: 'sigstoreSigned', keyPath: join(dir, 'none.pub') }] });
  expect(await refusal('signed')).toEqual(failedWith(/cannot read key ".*none.pub"/));
});

test('archives are let in by the policy of their transport', async () => {
  const archive = join(node.place.dir, 'docker.tar');
  await writeDockerArchive(archive, 'davit.local/from-docker:1', image);
  expect(await refusalOf(node.davit.loadImages({ path: archive }))).toEqual(failedWith(/rejects it/));
  writePolicy({}, { 'docker-archive': { '': SIGNED } });
  expect(await refusalOf(node.davit.loadImages({ path: archive }))).toEqual(
    failedWith(/archives have none of: see its transport "docker-archive"/),
  );
  writePolicy({}, { 'docker-archive': { '': ACCEPT } });
  expect((await node.davit.loadImages({ path: archive })).ids).toEqual([image.id]);
  await node.client.removeImage({ image: { image: image.id } });
});
