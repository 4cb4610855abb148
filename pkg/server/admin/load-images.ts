// LoadImages: imports an archive that lies on the node. Not part of the CRI; for davitctl.

import type { AdminHandlers } from '../../../api/davit/generated/services.ts';
import type { Call } from '../../base/call.ts';
import { required, toAbsolutePath } from '../convert/field.ts';
import type { ServerDeps } from '../deps.ts';

export function loadImages(deps: Pick<ServerDeps, 'images'>): AdminHandlers<Call>['loadImages'] {
  return async (call, { path }) => {
    const images = await deps.images.load(call, toAbsolutePath(required(path, 'path'), 'path'));
    return { references: images.flatMap(({ loadedTags }) => loadedTags), ids: images.map(({ id }) => id) };
  };
}
