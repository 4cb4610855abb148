// davitctl df: what images take on disk, and why each is kept.

import type { DiskUsageResponse, ImageUsage } from '../../api/davit/generated/types.ts';
import { define, type Invocation } from './define.ts';
import type { Options } from './option.ts';
import { ASK } from './find.ts';
import { shortId, size, toJson } from './format.ts';
import { table } from './table.ts';

export const df = define({
  name: 'df',
  summary: 'show what images take on disk, and why each is kept',
  synopsis: '[OPTIONS]',
  about:
    'UNIQUE is in layers that no other image has, SHARED in those that others have too. RECLAIMABLE is what\n' +
    'removing the image gives back. An image is kept while a container uses it, or because it is pinned in the\n' +
    'configuration. The largest first. Only Davit tells of this.',
  options: {},
  examples: [
    ['df', 'a line for each image, and the sum'],
    ['df --json', 'for machines, in bytes'],
  ],
  args: { min: 0, max: 0 },
  run: showDiskUsage,
});

async function showDiskUsage({ davit, io, json }: Invocation<Options>): Promise<number> {
  const usage = await davit.diskUsage({}, ASK);
  if (json) io.out(toJson(usage));
  else table(toRows(usage)).forEach(io.out);
  return 0;
}

function toRows({ images, totalBytes, reclaimableBytes }: DiskUsageResponse): string[][] {
  const largestFirst = images.toSorted((a, b) => Number(b.uniqueBytes - a.uniqueBytes));
  return [
    ['IMAGE', 'IMAGE ID', 'UNIQUE', 'SHARED', 'RECLAIMABLE', 'KEPT FOR'],
    ...largestFirst.map((image) => [
      image.repoTags[0] ?? image.repoDigests[0] ?? '<none>',
      shortId(image.id),
      size(image.uniqueBytes),
      size(image.sharedBytes),
      size(image.reclaimableBytes),
      reasons(image),
    ]),
    ['all, each layer once', '', size(totalBytes), '', size(reclaimableBytes), ''],
  ];
}

/** What keeps it, the strongest reason first; a name alone keeps it until somebody removes it. */
function reasons({ users, pinned, repoTags }: ImageUsage): string {
  const containers = users.map(({ containerId, containerName, pod }) =>
    pod === '' ? shortId(containerId) : `${pod}/${containerName}`,
  );
  const [, ...otherTags] = repoTags;
  const all = [
    ...containers,
    ...(pinned ? ['pinned'] : []),
    ...(otherTags.length > 0 ? [`also ${otherTags.join(', ')}`] : []),
  ];
  return all.length === 0 ? '-' : all.join('; ');
}
