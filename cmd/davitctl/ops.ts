// davitctl ops: what the daemon is at, and for how long.

import { define, type Invocation } from './define.ts';
import type { Options } from './option.ts';
import { ASK } from './find.ts';
import { toJson } from './format.ts';
import { table } from './table.ts';

export const ops = define({
  name: 'ops',
  summary: 'show which operations are under way, since when, and at which stage',
  synopsis: '[OPTIONS]',
  about: 'The oldest first, with the stages that each is within. Only Davit tells of this.',
  options: {},
  examples: [
    ['ops', 'a line for each operation'],
    ['ops --json', 'for machines, with ages in nanoseconds'],
  ],
  args: { min: 0, max: 0 },
  run: showOperations,
});

async function showOperations({ davit, io, json }: Invocation<Options>): Promise<number> {
  const { operations } = await davit.listOperations({}, ASK);
  if (json) {
    io.out(toJson(operations));
    return 0;
  }
  const rows = operations.map(({ method, subject, age, within, stage, stageAge }) => [
    method,
    seconds(age),
    ...(stage === '' ? ['-', '-'] : [[...within, stage].join(' > '), seconds(stageAge)]),
    subject === '' ? '-' : subject,
  ]);
  table([['OPERATION', 'AGE', 'STAGE', 'STAGE AGE', 'OF'], ...rows]).forEach(io.out);
  return 0;
}

/** `12.3 s` */
function seconds(ns: bigint): string {
  return `${(Number(ns) / 1e9).toFixed(1)} s`;
}
