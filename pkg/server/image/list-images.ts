// ListImages and StreamImages: the same images, in one message or in several.

import type { ImageServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { ImageFilter, ImageInit } from '../../../api/cri/generated/types.ts';
import { inBatches } from '../../base/batches.ts';
import type { Call } from '../../base/call.ts';
import { ITEMS_PER_MESSAGE } from '../convert/filter.ts';
import { toImage } from '../convert/image.ts';
import type { ServerDeps } from '../deps.ts';

type Deps = Pick<ServerDeps, 'images'>;

export function listImages(deps: Deps): ImageServiceHandlers<Call>['listImages'] {
  return (_, { filter }) => Promise.resolve({ images: list(deps, filter) });
}

export function streamImages(deps: Deps): ImageServiceHandlers<Call>['streamImages'] {
  return async function* (_, { filter }) {
    for (const images of inBatches(list(deps, filter), ITEMS_PER_MESSAGE)) yield { images };
  };
}

function list({ images }: Deps, filter: ImageFilter | undefined): ImageInit[] {
  const name = filter?.image?.image ?? '';
  if (name === '') return images.list().map(toImage);
  const image = images.find(name);
  return image === undefined ? [] : [toImage(image)];
}
