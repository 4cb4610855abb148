// ImageStatus: one image, or none; that it is absent is an answer, not an error.

import type { ImageServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { required } from '../convert/field.ts';
import { toImage } from '../convert/image.ts';

export function imageStatus(deps: Pick<ServerDeps, 'images'>): ImageServiceHandlers<Call>['imageStatus'] {
  return async (_, { image: spec, verbose }) => {
    const image = deps.images.find(required(required(spec, 'image').image, 'image.image'));
    if (image === undefined || !deps.images.isUsable(image)) return {}; // then the kubelet pulls it
    const { chainIds, artifactType, config } = image;
    const info = { chainIds, ...(artifactType !== undefined && { artifactType }), imageSpec: { config } };
    return { image: toImage(image), info: verbose ? { info: JSON.stringify(info) } : {} };
  };
}
