// Images that the calls pull and load while something fails; the tests' own stays where it is.

import { join } from 'node:path';
import { writeOciArchive } from '../image-archive.ts';
import { buildImage } from '../image-builder.ts';
import type { Place } from '../place.ts';
import type { Registry } from '../registry.ts';
import { busyboxEntries } from '../test-image.ts';

export interface FaultImages {
  readonly pulled: string;
  readonly archive: string;
  readonly loaded: string;
}

export async function makeFaultImages({ dir }: Place, registry: Registry): Promise<FaultImages> {
  const image = await buildImage({
    layers: [
      { entries: [...busyboxEntries(), { path: '/etc/greeting', data: 'hello\n' }] },
      { entries: [{ path: '/etc/second', data: 'layer\n' }], compression: 'zstd' },
    ],
    config: {},
  });
  await registry.push('fault/pulled', 'v1', image);
  const archive = join(dir, 'fault.tar');
  const loaded = 'localhost/fault/loaded:v1';
  await writeOciArchive(archive, loaded, image);
  return { pulled: `${registry.host}/fault/pulled:v1`, archive, loaded };
}
