// PullImage: brings an image onto the node. The answer is its id, by which it is known everywhere.

import type { ImageServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { required } from '../convert/field.ts';

export function pullImage(deps: Pick<ServerDeps, 'images'>): ImageServiceHandlers<Call>['pullImage'] {
  return async (call, { image: spec, auth }) => {
    const reference = required(required(spec, 'image').image, 'image.image');
    const image = await deps.images.pull(call, { reference, ...(auth === undefined ? {} : { auth }) });
    return { imageRef: image.id };
  };
}
