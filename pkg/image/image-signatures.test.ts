// Signatures of images in a real registry: which are looked at, and what they are enough for.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import type { Attachment } from './signature/attachments.ts';
import { DockerRegistry } from './testing/docker-registry.ts';
import { TestImages } from './testing/open-images.ts';
import { pushImage, pushIndex } from './testing/push.ts';
import { newSigningKey, pushSignatures, signPayload, toPayload } from './testing/sign.ts';
import { buildImage } from './testing/test-image.ts';

const IMAGE = buildImage({ layers: [[{ name: 'a', content: 'a' }]] });
const MANIFEST = IMAGE.manifest.digest;
const signer = newSigningKey();
const stranger = newSigningKey();

let dir: string;
let registry: DockerRegistry;
let store: TestImages;
let repositories = 0;
/** A new one for each test. */
let name: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-policy-'));
  registry = await DockerRegistry.start();
  store = await TestImages.open({ signaturePolicy: join(dir, 'policy.json') });
  writeFileSync(join(dir, 'signer.pub'), signer.pem);
  writeFileSync(join(dir, 'stranger.pub'), stranger.pem);
});
beforeEach(() => {
  repositories += 1;
  name = `apps/number-${repositories}`;
  demand({ keyPath: join(dir, 'signer.pub'), signedIdentity: { type: 'matchRepository' } });
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

function writePolicy(...requirements: object[]): void {
  writeFileSync(join(dir, 'policy.json'), JSON.stringify({ default: requirements }));
}

function demand(how: object): void {
  writePolicy({ type: 'sigstoreSigned', ...how });
}

const pull = (reference = `${name}:v1`) =>
  store.images.pull(testCall, { reference: `${registry.host}/${reference}` });
const signatureOf = (manifest: string): Attachment =>
  signPayload(toPayload(manifest, `${registry.host}/${name}:v1`), signer);
const attach = (manifest: string, ...signatures: Attachment[]) =>
  pushSignatures(registry.host, name, manifest, signatures);

test('of an image in an index it is enough that the index is signed', async () => {
  const index = await pushIndex(registry.host, name, 'v1', { image: IMAGE });
  await attach(index.digest, signatureOf(index.digest));
  expect((await pull()).id).toBe(IMAGE.config.digest);
});

test('of an image in an index it is enough that its own manifest is signed', async () => {
  await pushIndex(registry.host, name, 'v1', { image: IMAGE });
  await attach(MANIFEST, signatureOf(MANIFEST));
  expect((await pull()).id).toBe(IMAGE.config.digest);
});

test('a signature of the index counts where it lies, and not beside another manifest', async () => {
  const index = await pushIndex(registry.host, name, 'v1', { image: IMAGE });
  await attach(MANIFEST, signatureOf(index.digest));
  await expect(pull()).rejects.toThrow(/^SignatureValidationFailed: .*it is one of "sha256:/);
});

test('one good signature among others is enough', async () => {
  await pushImage(registry.host, name, 'v1', IMAGE);
  const broken = { payload: Buffer.from('{'), annotations: {} };
  await attach(MANIFEST, broken, signPayload(toPayload(MANIFEST, name), stranger), signatureOf(MANIFEST));
  expect((await pull()).id).toBe(IMAGE.config.digest);
});

test('all requirements must be fulfilled', async () => {
  await pushImage(registry.host, name, 'v1', IMAGE);
  await attach(MANIFEST, signatureOf(MANIFEST));
  writePolicy(
    { type: 'sigstoreSigned', keyPath: join(dir, 'signer.pub') },
    { type: 'sigstoreSigned', keyPath: join(dir, 'stranger.pub') },
  );
  await expect(pull()).rejects.toThrow(/^SignatureValidationFailed: .*signature verification failed/);
});

test('very many signatures and very large ones are not looked at', async () => {
  await pushImage(registry.host, name, 'v1', IMAGE);
  await attach(MANIFEST, ...Array.from({ length: 65 }, () => signatureOf(MANIFEST)));
  await expect(pull()).rejects.toThrow(/^SignatureValidationFailed: .*over 64 signatures/);
  await attach(MANIFEST, { ...signatureOf(MANIFEST), payload: Buffer.alloc(65_537) });
  await expect(pull()).rejects.toThrow(/^SignatureValidationFailed: .*over 65536 bytes/);
});

test('what the policy rejects is not even asked for', async () => {
  writePolicy({ type: 'reject' });
  await expect(store.images.pull(testCall, { reference: '127.0.0.1:1/any' })).rejects.toThrow(
    /^SignatureValidationFailed: .*rejects it/,
  );
});

test('a registry that cannot be asked for signatures is told as that', async () => {
  await expect(store.images.pull(testCall, { reference: '127.0.0.1:1/any' })).rejects.toThrow(
    /^RegistryUnavailable: /,
  );
});
