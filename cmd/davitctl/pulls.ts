// davitctl pulls: the pulls under way, whoever wants them, and the last ones.

import type { Pull } from '../../api/davit/generated/types.ts';
import { define, type Invocation } from './define.ts';
import { ASK } from './find.ts';
import { size, toJson } from './format.ts';
import { seconds } from './pull-bars.ts';
import { table } from './table.ts';

const OPTIONS = {
  layers: { type: 'boolean', short: 'l', about: 'show each layer, too' },
} as const;

export const pulls = define({
  name: 'pulls',
  summary: 'show the pulls under way, and the last ones',
  synopsis: '[OPTIONS] [IMAGE]',
  about:
    'The newest first, those of the kubelet as well. With IMAGE only those of it. Only Davit tells of this.',
  options: OPTIONS,
  examples: [
    ['pulls', 'a line for each pull'],
    ['pulls -l docker.io/library/busybox:1.36', 'one image, with its layers'],
  ],
  completes: 'images',
  args: { min: 0, max: 1 },
  run: showPulls,
});

async function showPulls({ davit, io, json, values, args }: Invocation<typeof OPTIONS>): Promise<number> {
  const { pulls: all } = await davit.listPulls({ image: args[0] ?? '' }, ASK);
  if (json) {
    io.out(toJson(all));
    return 0;
  }
  const rows = all.flatMap((pull) => [
    toRow(pull, io.now()),
    ...(values.layers === true ? pull.layers.map(toLayerRow) : []),
  ]);
  table([['IMAGE', 'STATE', 'RECEIVED', 'OF', 'RATE', 'TOOK', 'LEFT', 'FROM', 'RETRIES'], ...rows]).forEach(
    io.out,
  );
  for (const { reference, message } of all) if (message !== '') io.out(`${reference}: ${message}`);
  return 0;
}

function toRow(pull: Pull, nowMs: number): string[] {
  const { reference, state, receivedBytes, totalBytes, bytesPerSecond, eta, layers } = pull;
  const endedAt = pull.endedAt === 0n ? BigInt(nowMs) * 1_000_000n : pull.endedAt;
  const hosts = [...new Set(layers.map(({ host }) => host))].filter((host) => host !== '');
  const retries = layers.reduce((sum, layer) => sum + layer.retries, 0);
  return [
    reference,
    state,
    size(receivedBytes),
    size(totalBytes),
    rateText(bytesPerSecond),
    seconds(endedAt - pull.startedAt),
    eta === 0n ? '-' : seconds(eta),
    hosts.length === 0 ? '-' : hosts.join(', '),
    String(retries),
  ];
}

function toLayerRow(layer: Pull['layers'][number]): string[] {
  const { digest, state, receivedBytes, sizeBytes, bytesPerSecond, host, retries } = layer;
  const short = digest.slice(0, 'sha256:'.length + 12);
  const bytes = [size(receivedBytes), size(sizeBytes), rateText(bytesPerSecond)];
  return [`  ${short}`, state, ...bytes, '', '', host === '' ? '-' : host, String(retries)];
}

function rateText(bytesPerSecond: bigint): string {
  return bytesPerSecond === 0n ? '-' : `${size(bytesPerSecond)}/s`;
}
