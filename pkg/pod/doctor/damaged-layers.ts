// Layers of images of which something is gone or changed: containers cannot be made from them.

import type { Image } from '../../image/image.ts';
import type { DamagedLayer } from '../../image/images.ts';
import type { Inspection } from './finding.ts';

export function inspectLayers(images: { damage(): Promise<readonly DamagedLayer[]> }): Inspection {
  return async () =>
    (await images.damage()).map(({ id, damage, images: having }) => ({
      kind: 'damaged_layer',
      subject: id,
      problem: `${damage}; it is part of ${having.map(nameOf).join(', ')}`,
      advice: 'nothing, if the kubelet may pull the image: it is told that there is none; else pull it again',
    }));
}

function nameOf({ id, repoTags: [tag], repoDigests: [digest] }: Image): string {
  return tag ?? digest ?? id;
}
