// davitctl images verify: whether the layers on disk still are what was unpacked.

import type { VerifiedLayer } from '../../api/davit/generated/types.ts';
import { define, type Invocation } from './define.ts';
import { shortId, size, toJson } from './format.ts';
import { table } from './table.ts';

const OPTIONS = {
  repair: { type: 'boolean', about: 'fetch again what is damaged, as far as that goes without a login' },
} as const;

export const imagesVerify = define({
  name: 'images verify',
  summary: 'compare images with what was unpacked',
  synopsis: '[OPTIONS] [IMAGE...]',
  about:
    'Reads every file of every layer, of all images or of the given ones, and compares it with what was noted when\n' +
    'the layer was unpacked. No container is made from a damaged image until it has been pulled again, which fetches\n' +
    'the damaged layers alone. Ends with 1 if something is damaged. Only Davit can do this.',
  options: OPTIONS,
  examples: [
    ['images verify', 'all images of this node'],
    ['images verify --repair registry.example/app:1.2', 'one, and fetch again what is damaged'],
  ],
  completes: 'images',
  args: { min: 0, max: Infinity },
  run: verify,
});

async function verify({ davit, io, json, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  const request = { images: args, repair: values.repair === true };
  const layers: VerifiedLayer[] = [];
  for await (const layer of davit.verifyImages(request, { signal: io.signal })) {
    layers.push(layer);
    if (!json) tell(layer).forEach(io.out);
  }
  if (json) io.out(toJson(layers));
  else summarize(layers).forEach(io.out);
  return layers.some(({ health }) => health === 'damaged') ? 1 : 0;
}

/** What is well is not told one by one. */
function tell({ chainId, images, health, problems, problemCount, failure }: VerifiedLayer): string[] {
  if (health === 'intact') return [];
  const more = problemCount - BigInt(problems.length);
  return table([
    [`layer ${shortId(chainId)} of ${images.join(', ')}: ${health}`],
    ...problems.map(({ path, what }) => [`  ${path}: ${what}`]),
    ...(more > 0n ? [[`  and ${more} more`]] : []),
    ...(failure === '' ? [] : [[`  not fetched again: ${failure}`]]),
  ]);
}

function summarize(layers: readonly VerifiedLayer[]): string[] {
  const count = (wanted: string): number => layers.filter(({ health }) => health === wanted).length;
  const sum = (numberOf: (layer: VerifiedLayer) => bigint): bigint =>
    layers.reduce((total, layer) => total + numberOf(layer), 0n);
  const parts = ['intact', 'damaged', 'repaired', 'unknown']
    .map((health) => `${count(health)} ${health}`)
    .filter((text) => !text.startsWith('0 '));
  const read = `${sum(({ files }) => files)} files, ${size(sum(({ bytes }) => bytes))}`;
  return [`${layers.length} layers (${read}): ${parts.length === 0 ? 'no images' : parts.join(', ')}`];
}
