// ImageFsInfo: how much of which file system the images take, and what containers have written. From memory: layers have
// records, and writable layers are added up in the background.

import { timeOfDayNs } from '../../base/clock.ts';
import type { ImageServiceHandlers } from '../../../api/cri/generated/services.ts';
import type { FilesystemUsageInit } from '../../../api/cri/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { TreeUsage } from '../../stats/usage.ts';
import type { ServerDeps } from '../deps.ts';

type Deps = Pick<ServerDeps, 'images' | 'containers' | 'stats'>;

export function imageFsInfo(deps: Deps): ImageServiceHandlers<Call>['imageFsInfo'] {
  return async (call) => {
    const timestamp = timeOfDayNs();
    const usage = (mountpoint: string, usedBytes: bigint, inodesUsed: bigint): FilesystemUsageInit => ({
      timestamp,
      fsId: { mountpoint },
      usedBytes: { value: usedBytes },
      inodesUsed: { value: inodesUsed },
    });
    const { mountpoint, usedBytes, inodesUsed } = await deps.images.usage();
    const ids = deps.containers.list().map(({ id }) => id);
    const written = [...(await deps.stats.layers(call, ids)).values()];
    const sum = (of: (layer: TreeUsage) => bigint): bigint =>
      written.reduce((all, layer) => all + of(layer), 0n);
    const containers = usage(
      deps.stats.layersRoot,
      sum((layer) => layer.usedBytes),
      sum((layer) => layer.inodes),
    );
    return {
      imageFilesystems: [usage(mountpoint, usedBytes, inodesUsed)],
      containerFilesystems: [containers],
    };
  };
}
