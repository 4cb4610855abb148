// The life of a container: which phases there are, and which may follow which.

import { Fault } from '../base/fault.ts';
import type { ProcessIdentity } from '../sys/process-identity.ts';

/** The processes behind a container that the runtime knows. */
interface Alive {
  /** The container's init, in the host's pid namespace. */
  readonly process: ProcessIdentity;
  /** The monitor that keeps its stdio, log and exit code. */
  readonly shim: ProcessIdentity;
}

interface Running extends Alive {
  /** Nanoseconds since the Unix epoch; bigint, because a double loses the last digits. */
  readonly startedAtNs: bigint;
}

interface Stopping extends Running {
  /** When its time is up, by the clock that nobody sets: see `uptimeMs()`. */
  readonly killAtUptimeMs: number;
  /** Whether it was sent its stop signal. A daemon that died in between sends it a second time. */
  readonly signalled: boolean;
}

export interface Exited {
  readonly phase: 'exited';
  /** 0 to 255; 128 + n for a death by signal n. */
  readonly exitCode: number;
  /** 0 if it never ran. */
  readonly startedAtNs: bigint;
  readonly finishedAtNs: bigint;
  /** One word for programs: `Completed`, `Error`, `OOMKilled`, `StartError`, `ContainerStatusUnknown`. */
  readonly reason: string;
  /** A sentence for people; may be empty. */
  readonly message: string;
}

export type ContainerState =
  | { readonly phase: 'creating' }
  | ({ readonly phase: 'created' } & Alive)
  | ({ readonly phase: 'starting' } & Running)
  | ({ readonly phase: 'running' } & Running)
  | ({ readonly phase: 'stopping' } & Stopping)
  | Exited
  | ({ readonly phase: 'lost' } & Running)
  | { readonly phase: 'removing'; readonly last: Exited | undefined };

export type ContainerPhase = ContainerState['phase'];
export type StateOf<Phase extends ContainerPhase> = Extract<ContainerState, { readonly phase: Phase }>;

/** `lost`: the runtime was asked and kept silent. Only what proves the truth leads out. */
export const MOVES = {
  creating: ['created', 'removing'],
  created: ['starting', 'stopping', 'exited', 'removing'], // stopping: it is killed before it was started
  starting: ['created', 'running', 'exited', 'lost'], // created: the daemon died before it asked
  running: ['stopping', 'exited', 'lost'],
  stopping: ['stopping', 'exited', 'lost'],
  exited: ['removing'],
  lost: ['created', 'running', 'stopping', 'exited', 'removing'],
  removing: ['removing'],
} as const satisfies Record<ContainerPhase, readonly ContainerPhase[]>;

/**
 * The state after moving from `from` to `to`.
 *
 * @throws {Fault} failed_precondition — `to` may not follow `from`
 */
export function move<To extends ContainerState>(from: ContainerState, to: To): To {
  const allowed: readonly ContainerPhase[] = MOVES[from.phase];
  if (allowed.includes(to.phase)) return to;
  throw new Fault('failed_precondition', `a container that is ${from.phase} cannot become ${to.phase}`, {
    detail: { from: from.phase, to: to.phase },
  });
}

export type AlivePhase = 'created' | 'starting' | 'running' | 'stopping' | 'lost';

/** Whether there may be a process of the container, so that an exit is still to come. */
export function mayExit(state: ContainerState): state is StateOf<AlivePhase> {
  return 'process' in state;
}
