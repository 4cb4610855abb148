// DiskUsage: what images take, and why each is kept. Not part of the CRI; for davitctl.

import type { AdminHandlers } from '../../../api/davit/generated/services.ts';
import type { ImageUserInit } from '../../../api/davit/generated/types.ts';
import type { Call } from '../../base/call.ts';
import type { Container } from '../../container/container.ts';
import { imagesUsed } from '../../container/images-used.ts';
import type { ServerDeps } from '../deps.ts';

export function diskUsage(
  deps: Pick<ServerDeps, 'images' | 'containers' | 'sandboxes'>,
): AdminHandlers<Call>['diskUsage'] {
  return () => {
    const containers = deps.containers.list();
    const { images, totalBytes, reclaimableBytes } = deps.images.diskUsage();
    return Promise.resolve({
      images: images.map(({ image: { id, repoTags, repoDigests, pinned }, ...bytes }) => ({
        id,
        repoTags,
        repoDigests,
        pinned,
        uniqueBytes: BigInt(bytes.uniqueBytes),
        sharedBytes: BigInt(bytes.sharedBytes),
        reclaimableBytes: BigInt(bytes.reclaimableBytes),
        users: containers
          .filter((container) => imagesUsed(container).has(id))
          .map((container) => toUser(deps, container)),
      })),
      totalBytes: BigInt(totalBytes),
      reclaimableBytes: BigInt(reclaimableBytes),
    });
  };
}

function toUser(
  { sandboxes }: Pick<ServerDeps, 'sandboxes'>,
  { id, metadata, sandboxId }: Container,
): ImageUserInit {
  const pod = sandboxes.find(sandboxId)?.config.metadata;
  return {
    containerId: id,
    containerName: metadata.name,
    pod: pod === undefined ? '' : `${pod.namespace}/${pod.name}`,
  };
}
