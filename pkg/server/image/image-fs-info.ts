// ImageFsInfo: how much of which file system the images take.

import type { ImageServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { Call } from '../../base/call.ts';
import type { ServerDeps } from '../deps.ts';

export function imageFsInfo(deps: Pick<ServerDeps, 'images'>): ImageServiceHandlers<Call>['imageFsInfo'] {
  return async () => {
    const { mountpoint, usedBytes, inodesUsed } = await deps.images.usage();
    const usage = {
      timestamp: BigInt(Date.now()) * 1_000_000n,
      fsId: { mountpoint },
      usedBytes: { value: usedBytes },
      inodesUsed: { value: inodesUsed },
    };
    return { imageFilesystems: [usage], containerFilesystems: [usage] };
  };
}
