// Artifacts made in memory: files under names, as ORAS pushes them.

import { sha256Of } from '../digest.ts';
import { OCI_MANIFEST } from '../media-types.ts';
import { toBlob, toDescriptor, type TestBlob, type TestImage } from './test-image.ts';

export interface TestArtifactOptions {
  /** A layer whose name is empty gets none. */
  readonly files: readonly (readonly [name: string, content: string | Buffer])[];
  readonly artifactType?: string;
  readonly nameAnnotation?: string;
}

export function buildArtifact({
  files,
  artifactType = 'application/vnd.example.model',
  nameAnnotation = 'org.opencontainers.image.title',
}: TestArtifactOptions): TestImage {
  const config = toBlob({}, 'application/vnd.oci.empty.v1+json');
  const layers = files.map(([, content]): TestBlob => {
    const data = Buffer.from(content);
    return { data, digest: sha256Of(data), mediaType: 'application/octet-stream' };
  });
  const manifest = toBlob(
    {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType,
      config: toDescriptor(config),
      layers: layers.map((layer, index) => ({
        ...toDescriptor(layer),
        annotations: toAnnotations(nameAnnotation, files[index]?.[0] ?? ''),
      })),
    },
    OCI_MANIFEST,
  );
  return { manifest, config, layers, diffIds: [] };
}

function toAnnotations(key: string, name: string): Record<string, string> {
  return name === '' ? {} : { [key]: name };
}
