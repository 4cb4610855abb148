// RemoveImage: forgets an image, under all its names. One that is gone has been removed.

import type { ImageServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';
import { required } from '../convert/field.ts';

export function removeImage(deps: Pick<ServerDeps, 'images'>): ImageServiceHandlers<Call>['removeImage'] {
  return async (call, { image: spec }) => {
    await deps.images.remove(call, required(required(spec, 'image').image, 'image.image'));
    return {};
  };
}
