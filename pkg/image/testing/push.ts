// Puts images into a registry over plain HTTP, as the distribution specification has it.

import { OCI_INDEX } from '../media-types.ts';
import { hostPlatform } from '../platform.ts';
import { toBlob, toDescriptor, type TestBlob, type TestImage } from './test-image.ts';

/** @param registry `127.0.0.1:5000` @param tag a tag, or the image's digest */
export async function pushImage(
  registry: string,
  repository: string,
  tag: string,
  image: TestImage,
): Promise<void> {
  for (const blob of [...image.layers, image.config]) await pushBlob(registry, repository, blob);
  await pushManifest(registry, repository, tag, image.manifest);
}

/** An index with one image for this machine, and whatever else is given before it. */
export async function pushIndex(
  registry: string,
  repository: string,
  tag: string,
  { image, others = [] }: { image: TestImage; others?: readonly object[] },
): Promise<TestBlob> {
  await pushImage(registry, repository, image.manifest.digest, image);
  const own = { ...toDescriptor(image.manifest), platform: hostPlatform() };
  const index = toBlob({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...others, own] }, OCI_INDEX);
  await pushManifest(registry, repository, tag, index);
  return index;
}

export async function pushBlob(
  registry: string,
  repository: string,
  { digest, data }: TestBlob,
): Promise<void> {
  const begun = await send(`http://${registry}/v2/${repository}/blobs/uploads/`, 'POST');
  const place = new URL(begun.headers.get('location') ?? '', `http://${registry}`);
  place.searchParams.set('digest', digest);
  await send(place.href, 'PUT', { 'content-type': 'application/octet-stream' }, data);
}

export async function pushManifest(
  registry: string,
  repository: string,
  tag: string,
  blob: TestBlob,
): Promise<void> {
  const url = `http://${registry}/v2/${repository}/manifests/${tag}`;
  await send(url, 'PUT', { 'content-type': blob.mediaType }, blob.data);
}

async function send(
  url: string,
  method: string,
  headers: Record<string, string> = {},
  body?: Buffer,
): Promise<Response> {
  const response = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body: new Uint8Array(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return response;
}
