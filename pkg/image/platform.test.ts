import { expect, test } from 'vitest';
import type { IndexEntry } from './manifest.ts';
import { selectPlatform } from './platform.ts';

const entry = (digest: string, platform?: IndexEntry['platform'], annotations?: Record<string, string>) => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest,
  size: 1,
  ...(platform !== undefined && { platform }),
  ...(annotations !== undefined && { annotations }),
});
const amd64 = { os: 'linux', architecture: 'amd64' };

test('selectPlatform() prefers the plain architecture to a variant that not every machine has', () => {
  const manifests = [
    entry('v3', { ...amd64, variant: 'v3' }),
    entry('v1', { ...amd64, variant: 'v1' }),
    entry('plain', amd64),
  ];
  expect(selectPlatform({ manifests }, amd64)?.digest).toBe('plain');
});

test('selectPlatform() takes 64-bit ARM with and without its variant', () => {
  const manifests = [entry('arm', { os: 'linux', architecture: 'arm64', variant: 'v8' })];
  expect(selectPlatform({ manifests }, { os: 'linux', architecture: 'arm64' })?.digest).toBe('arm');
});

test('selectPlatform() skips attestations, artifacts and other systems', () => {
  const manifests = [
    entry('attestation', { os: 'unknown', architecture: 'unknown' }),
    entry('signature', amd64, { 'vnd.docker.reference.type': 'attestation-manifest' }),
    entry('windows', { os: 'windows', architecture: 'amd64' }),
    { ...entry('artifact', amd64), artifactType: 'application/vnd.example.sbom' },
  ];
  expect(selectPlatform({ manifests }, amd64)).toBeUndefined();
});

test('selectPlatform() takes the only image if it does not say for what it is', () => {
  expect(selectPlatform({ manifests: [entry('only')] }, amd64)?.digest).toBe('only');
});

test('selectPlatform() takes an artifact where there is no image at all', () => {
  const artifact = (digest: string, platform?: IndexEntry['platform']) => ({
    ...entry(digest, platform),
    artifactType: 'application/vnd.example.model',
  });
  const other = artifact('other', { os: 'linux', architecture: 'riscv64' });
  expect(selectPlatform({ manifests: [other, artifact('ours', amd64)] }, amd64)?.digest).toBe('ours');
  expect(selectPlatform({ manifests: [artifact('only')] }, amd64)?.digest).toBe('only');
});
