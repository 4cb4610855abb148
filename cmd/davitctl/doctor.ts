// davitctl doctor: what is wrong on the node, and what to do about it.

import type { Finding } from '../../api/davit/generated/types.ts';
import { define, type Invocation } from './define.ts';
import { toJson } from './format.ts';

const OPTIONS = {
  repair: { type: 'boolean', about: 'repair what can be: what is left over is ended and removed' },
} as const;

export const doctor = define({
  name: 'doctor',
  summary: 'show what is wrong on this node, and repair it',
  synopsis: '[OPTIONS]',
  about:
    'Compares what the daemon knows with what is on the node, and looks at what pods need of the host. The exit\n' +
    'status is 1 when something is wrong. What is surely left over the daemon removes of itself, from time to time.\n' +
    'Only Davit does this.',
  options: OPTIONS,
  examples: [
    ['doctor', 'what is wrong, and what to do'],
    ['doctor --repair', 'the same, and repairs what can be'],
  ],
  args: { min: 0, max: 0 },
  run: examine,
});

/** Many things may have to be ended and removed. */
const PATIENCE = { timeoutMs: 300_000 };

async function examine({ davit, io, json, values }: Invocation<typeof OPTIONS>): Promise<number> {
  const { findings } = await davit.examine({ repair: values.repair === true }, PATIENCE);
  if (json) io.out(toJson(findings));
  else if (findings.length === 0) io.out('nothing is wrong');
  else findings.flatMap(toLines).forEach(io.out);
  return findings.every(({ repaired }) => repaired) ? 0 : 1;
}

function toLines(finding: Finding): string[] {
  const { kind, subject, problem, advice, repaired, canRepair, failure } = finding;
  const outcome = repaired
    ? ['  repaired']
    : failure !== ''
      ? [`  cannot be repaired: ${failure}`]
      : [`  ${advice}${canRepair ? ' (davitctl doctor --repair)' : ''}`];
  return [`${kind} ${subject}: ${problem}`, ...outcome];
}
