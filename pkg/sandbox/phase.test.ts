import { expect, test } from 'vitest';
import { move, MOVES, type SandboxPhase } from './phase.ts';

const PHASES = Object.keys(MOVES) as SandboxPhase[];
const PAIRS = PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const));

test.each(PAIRS)('move() from %s to %s does what the table says', (from, to) => {
  const allowed = (MOVES[from] as readonly string[]).includes(to);
  const moved = () => move({ phase: from }, to);
  if (allowed) expect(moved()).toEqual({ phase: to });
  else expect(moved).toThrow(`a pod sandbox that is ${from} cannot become ${to}`);
});
