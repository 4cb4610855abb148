// davitctl images: lists images.

import type { Image } from '../../api/cri/generated/types.ts';
import { define, type Invocation } from './define.ts';
import { ASK } from './find.ts';
import { shortId, size, toJson } from './format.ts';
import { table } from './table.ts';

const OPTIONS = {
  quiet: { type: 'boolean', short: 'q', about: 'print ids only, whole' },
  digests: { type: 'boolean', about: 'show names with a digest too' },
} as const;

export const images = define({
  name: 'images',
  summary: 'list images',
  synopsis: '[OPTIONS] [TEXT]',
  about: 'With TEXT only images of which a name contains it.',
  options: OPTIONS,
  examples: [
    ['images', 'all images of this node'],
    ['images busybox', 'those with busybox in a name'],
    ['images --digests', 'with the digests they can be pulled by'],
  ],
  args: { min: 0, max: 1 },
  run: listImages,
});

async function listImages({ cri, io, json, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  const text = args[0] ?? '';
  const all = (await cri.listImages({}, ASK)).images;
  const wanted = all
    .filter(
      ({ repoTags, repoDigests }) =>
        text === '' || [...repoTags, ...repoDigests].some((n) => n.includes(text)),
    )
    .toSorted((a, b) => (a.repoTags[0] ?? '').localeCompare(b.repoTags[0] ?? ''));
  if (json) io.out(toJson(wanted));
  else if (values.quiet === true) wanted.map(({ id }) => id).forEach(io.out);
  else {
    const rows = wanted.flatMap((image) => rowsOf(image, values.digests === true));
    table([['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'], ...rows]).forEach(io.out);
  }
  return 0;
}

/** One for each name. */
function rowsOf(image: Image, withDigests: boolean): string[][] {
  const { id, size: bytes, repoTags, repoDigests } = image;
  const names = [...repoTags, ...(withDigests || repoTags.length === 0 ? repoDigests : [])];
  const rest = [shortId(id), size(bytes)];
  if (names.length === 0) return [['<none>', '<none>', ...rest]];
  return names.map((name) => {
    const [repository, tag] = splitName(name);
    return [repository, withDigests || !name.includes('@') ? tag : '<none>', ...rest];
  });
}

/** The colon of a port is no tag: `localhost:5000/web` has none. */
function splitName(name: string): [string, string] {
  const at = name.indexOf('@');
  if (at >= 0) return [name.slice(0, at), name.slice(at + 1)];
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? [name.slice(0, colon), name.slice(colon + 1)] : [name, '<none>'];
}
