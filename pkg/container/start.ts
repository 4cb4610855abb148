// StartContainer: lets the created process run the container's program.

import type { KeyedLock } from '../async/keyed-lock.ts';
import { detached, type Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';
import type { ProcessIdentity } from '../sys/process-identity.ts';
import type { Container } from './container.ts';
import { move, type ContainerState } from './phase.ts';

export interface StartDeps {
  readonly locks: KeyedLock<ContainerId>;
  readonly store: { get(id: ContainerId): Container; put(container: Container): Promise<void> };
  readonly runtime: {
    /** @throws {Fault} deadline_exceeded — the runtime kept silent; anything else — it refused */
    start(call: Call, container: Container): Promise<void>;
  };
  readonly signal: (process: ProcessIdentity, signal: NodeJS.Signals) => Promise<boolean>;
  /** Nanoseconds since the Unix epoch. */
  readonly now: () => bigint;
}

/** The exit code that runtimes give to a container that could not be started. */
const START_ERROR_EXIT_CODE = 128;

/**
 * @throws {Fault} failed_precondition — it is not `created`
 * @throws what the runtime said when it refused (the container is `exited`) or kept silent (`lost`)
 */
export async function startContainer(deps: StartDeps, call: Call, id: ContainerId): Promise<void> {
  using _guard = await deps.locks.acquireFor(id, call);
  const created = deps.store.get(id);
  if (created.state.phase !== 'created') {
    throw new Fault('failed_precondition', `cannot start container "${id}": it is ${created.state.phase}`);
  }
  const { process, shim } = created.state;
  const startedAtNs = deps.now();
  const starting = await enter(deps, created, { phase: 'starting', process, shim, startedAtNs });
  try {
    await deps.runtime.start(detached(call), created); // past the point of no return
  } catch (cause) {
    const after = stateAfter(cause, starting.state, deps.now());
    if (after.phase === 'exited') await deps.signal(process, 'SIGKILL'); // what was created may be there still
    await enter(deps, starting, after);
    throw cause;
  }
  await enter(deps, starting, { phase: 'running', process, shim, startedAtNs });
}

function stateAfter(cause: unknown, starting: ContainerState, nowNs: bigint): ContainerState {
  const fault = Fault.from(cause);
  if (fault.code === 'deadline_exceeded' && starting.phase === 'starting')
    return { ...starting, phase: 'lost' };
  return {
    phase: 'exited',
    exitCode: START_ERROR_EXIT_CODE,
    startedAtNs: 0n,
    finishedAtNs: nowNs,
    reason: 'StartError',
    message: fault.message,
  };
}

async function enter(deps: StartDeps, container: Container, state: ContainerState): Promise<Container> {
  const next = { ...container, state: move(container.state, state) };
  await deps.store.put(next);
  return next;
}
