// davitctl timeline: where the time went while a pod was started.

import * as z from 'zod';
import { Fault } from '../../pkg/base/fault.ts';
import { decode } from '../../pkg/codec/decode.ts';
import { define, type Invocation } from './define.ts';
import type { Options } from './option.ts';
import { ASK, getPod } from './find.ts';
import { parseInfo, toJson } from './format.ts';
import { table } from './table.ts';

/** What the verbose status of a pod has under `timeline`. Times are milliseconds since the Unix epoch. */
const stagesSchema = z.array(
  z.object({
    name: z.string(),
    of: z.string().optional(),
    startedAtMs: z.number(),
    tookMs: z.number().nonnegative().optional(),
  }),
);
type Stages = z.output<typeof stagesSchema>;

const CHART_COLUMNS = 50;

export const timeline = define({
  name: 'timeline',
  summary: 'show where the time went while a pod was started',
  synopsis: '[OPTIONS] POD',
  about:
    'One bar for each stage, from the request to the end of the last one. The pulls of its images are among them. Only Davit tells of this.',
  options: {},
  examples: [
    ['timeline web', 'a chart'],
    ['timeline --json web', 'names, starts and durations, for machines'],
  ],
  completes: 'pods',
  args: { min: 1, max: 1 },
  run: showTimeline,
});

async function showTimeline({ cri, io, json, args }: Invocation<Options>): Promise<number> {
  const [name = ''] = args;
  const pod = await getPod(cri, name);
  const { info } = await cri.podSandboxStatus({ podSandboxId: pod.id, verbose: true }, ASK);
  const found = parseInfo(info)['timeline'];
  if (found === undefined) {
    throw new Fault(
      'not_found',
      `the runtime keeps no timeline of pod "${name}"; Davit does, until its restart`,
    );
  }
  const stages = decode(stagesSchema, found, `timeline of pod "${name}"`, 'data_loss');
  if (json) io.out(toJson(stages));
  else chart(stages).forEach(io.out);
  return 0;
}

/** A line for each stage: `cni add   |     █████    |   4.1 ms  + 12.3 ms`. */
export function chart(stages: Stages): string[] {
  const beginMs = Math.min(...stages.map((stage) => stage.startedAtMs));
  const endMs = Math.max(...stages.map((stage) => stage.startedAtMs + (stage.tookMs ?? 0)));
  if (stages.length === 0) return ['no stages'];
  const rows = stages.map(({ name, startedAtMs, tookMs }) => {
    const at = startedAtMs - beginMs;
    const took = tookMs === undefined ? 'not over' : `${tookMs.toFixed(1)} ms`;
    return [
      name,
      bar(at, tookMs ?? endMs - startedAtMs, endMs - beginMs),
      took.padStart(10),
      `${at.toFixed(1)} ms`.padStart(10),
    ];
  });
  const heading = ['STAGE', ''.padEnd(CHART_COLUMNS), 'TOOK'.padStart(10), 'BEGAN AT'.padStart(10)];
  return [...table([heading, ...rows]), `${(endMs - beginMs).toFixed(1)} ms in all`];
}

/** At least one column wide, so that no stage is missing. */
function bar(atMs: number, tookMs: number, totalMs: number): string {
  const columns = (ms: number): number => (totalMs === 0 ? 0 : Math.round((ms / totalMs) * CHART_COLUMNS));
  const start = Math.min(columns(atMs), CHART_COLUMNS - 1);
  const length = Math.min(Math.max(1, columns(tookMs)), CHART_COLUMNS - start);
  return `${'·'.repeat(start)}${'█'.repeat(length)}`.padEnd(CHART_COLUMNS, '·');
}
