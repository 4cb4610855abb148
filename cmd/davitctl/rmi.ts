// davitctl rmi: removes images.

import type { CriClient } from '../../api/cri/client.ts';
import type { Image } from '../../api/cri/generated/types.ts';
import { Fault } from '../../pkg/base/fault.ts';
import { define, type Invocation } from './define.ts';
import { UsageError } from './explain.ts';
import { ASK, findImage } from './find.ts';

const OPTIONS = {
  unused: { type: 'boolean', about: 'all images that no container uses and that are not pinned' },
} as const;

export const rmi = define({
  name: 'rmi',
  summary: 'remove images',
  synopsis: '[OPTIONS] IMAGE...',
  about: 'An image goes with all its names, whichever of them is given.',
  options: OPTIONS,
  examples: [
    ['rmi busybox:1.36', 'by name'],
    ['rmi 3f2a8c91d0b44', 'by id'],
    ['rmi --unused', 'what no container uses'],
  ],
  completes: 'images',
  args: { min: 0, max: Infinity },
  run: removeImages,
});

async function removeImages({ cri, io, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  if ((args.length === 0) !== (values.unused === true)) throw new UsageError('name images, or use --unused');
  const wanted = new Map<string, Image>();
  for (const name of args) {
    const image = await findImage(cri, name);
    if (image === undefined) {
      throw new Fault('not_found', `there is no image "${name}"; davitctl images lists them`);
    }
    wanted.set(name, image);
  }
  if (values.unused === true) {
    for (const image of await unusedImages(cri)) wanted.set(image.repoTags[0] ?? image.id, image);
  }
  for (const [name, { id }] of wanted) {
    await cri.removeImage({ image: { image: id } }, { signal: io.signal });
    io.out(name);
  }
  return 0;
}

async function unusedImages(cri: CriClient): Promise<Image[]> {
  // The containers last: one that is made in between has its image in the list.
  const { images } = await cri.listImages({}, ASK);
  const { containers } = await cri.listContainers({}, ASK);
  const used = new Set(
    containers.flatMap(({ image, imageRef, imageId }) => [image?.image ?? '', imageRef, imageId]),
  );
  return images.filter(
    ({ id, repoTags, repoDigests, pinned }) =>
      !pinned && ![id, ...repoTags, ...repoDigests].some((n) => used.has(n)),
  );
}
