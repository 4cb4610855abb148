import { expect, test } from 'vitest';
import { aContainer, process, shim } from './testing/container.ts';
import { move, MOVES, mayExit, type ContainerPhase, type ContainerState } from './phase.ts';

const running = { process, shim, startedAtNs: 1n };
const STATES: Readonly<Record<ContainerPhase, ContainerState>> = {
  creating: { phase: 'creating' },
  created: { phase: 'created', process, shim },
  starting: { phase: 'starting', ...running },
  running: { phase: 'running', ...running },
  stopping: { phase: 'stopping', ...running, killAtUptimeMs: 5, signalled: true },
  exited: {
    phase: 'exited',
    exitCode: 0,
    startedAtNs: 1n,
    finishedAtNs: 2n,
    reason: 'Completed',
    message: '',
  },
  lost: { phase: 'lost', ...running },
  removing: { phase: 'removing', last: undefined },
};
const PHASES = Object.keys(STATES) as ContainerPhase[];
const PAIRS = PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const));

test.each(PAIRS)('move() from %s to %s does what the table says', (from, to) => {
  const allowed = (MOVES[from] as readonly string[]).includes(to);
  const moved = () => move(STATES[from], STATES[to]);
  if (allowed) expect(moved()).toBe(STATES[to]);
  else expect(moved).toThrow(`a container that is ${from} cannot become ${to}`);
});

test('every phase that has a process may exit, and may become exited', () => {
  const alive = PHASES.filter((phase) => mayExit(aContainer(STATES[phase]).state));
  expect(alive).toEqual(['created', 'starting', 'running', 'stopping', 'lost']);
  expect(alive.every((phase) => (MOVES[phase] as readonly string[]).includes('exited'))).toBe(true);
});
