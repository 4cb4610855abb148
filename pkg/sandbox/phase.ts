// The life of a pod sandbox: which phases there are, and which may follow which. One that cannot be created,
// or is removed after it was stopped, has no record any more.

import { Fault } from '../base/fault.ts';

export interface SandboxState {
  readonly phase: 'creating' | 'ready' | 'stopping' | 'stopped';
}

export type SandboxPhase = SandboxState['phase'];

export const MOVES = {
  creating: ['ready'],
  ready: ['stopping', 'stopped'],
  stopping: ['stopping', 'stopped'],
  stopped: [],
} as const satisfies Record<SandboxPhase, readonly SandboxPhase[]>;

/**
 * The state after moving from `from` to `to`.
 *
 * @throws {Fault} failed_precondition — `to` may not follow `from`
 */
export function move<Phase extends SandboxPhase>(from: SandboxState, to: Phase): { readonly phase: Phase } {
  const allowed: readonly SandboxPhase[] = MOVES[from.phase];
  if (allowed.includes(to)) return { phase: to };
  throw new Fault('failed_precondition', `a pod sandbox that is ${from.phase} cannot become ${to}`, {
    detail: { from: from.phase, to },
  });
}
