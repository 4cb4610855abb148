// The three things that happen to a sandbox: it is run, stopped, removed. Stopping undoes what running
// did; removing forgets it. After a crash, each is finished or undone from the record.

import { perform, recover, type Operation } from '../async/operation.ts';
import type { KeyedLock } from '../async/keyed-lock.ts';
import { detached, type Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { SandboxId } from '../base/id.ts';
import { move } from './phase.ts';
import type { Sandbox } from './sandbox.ts';
import { sandboxSteps, type StepDeps } from './steps.ts';

export interface SandboxDeps extends StepDeps {
  readonly locks: KeyedLock<SandboxId>;
  readonly store: StepDeps['store'] & {
    find(id: SandboxId): Sandbox | undefined;
    remove(id: SandboxId): Promise<void>;
  };
}

/** The operation that brings `sandbox` to `ready`; with one found in `creating`, what undoes it. */
export function runOperation(deps: SandboxDeps, sandbox: Sandbox): Operation {
  const { id } = sandbox;
  return {
    name: `run pod sandbox ${id}`,
    begin: () => deps.store.put({ ...sandbox, state: { phase: 'creating' } }),
    steps: sandboxSteps(deps, sandbox),
    done: () => enter(deps, id, 'ready'),
    undone: () => deps.store.remove(id),
  };
}

/** Runs a sandbox that has just been invented. When it throws, nothing of it is left. */
export async function runSandbox(deps: SandboxDeps, call: Call, sandbox: Sandbox): Promise<Sandbox> {
  using _guard = await deps.locks.acquireFor(sandbox.id, call);
  await perform(call, runOperation(deps, sandbox));
  return deps.store.get(sandbox.id);
}

/** Takes away what is left of a run that failed and could not be undone at the time. */
export async function undoRun(deps: SandboxDeps, call: Call, id: SandboxId): Promise<void> {
  using _guard = await deps.locks.acquireFor(id, call);
  const sandbox = deps.store.find(id);
  if (sandbox?.state.phase === 'creating') await recover(detached(call), runOperation(deps, sandbox));
}

/**
 * Takes the sandbox off the node; its record stays. Its containers have been stopped before. Nothing
 * happens to one that is stopped or gone.
 */
export async function stopSandbox(deps: SandboxDeps, call: Call, id: SandboxId): Promise<void> {
  using _guard = await deps.locks.acquireFor(id, call);
  const phase = deps.store.find(id)?.state.phase;
  if (phase === 'ready') await enter(deps, id, 'stopping');
  else if (phase !== 'stopping') return;
  const sandbox = deps.store.get(id);
  await recover(detached(call), {
    ...runOperation(deps, sandbox),
    name: `stop pod sandbox ${id}`,
    undone: () => enter(deps, id, 'stopped'),
  });
}

/** Refuses new containers from now on. @returns whether the sandbox is there at all */
export async function beginStop(deps: SandboxDeps, call: Call, id: SandboxId): Promise<boolean> {
  using _guard = await deps.locks.acquireFor(id, call);
  const sandbox = deps.store.find(id);
  if (sandbox?.state.phase === 'ready') await enter(deps, id, 'stopping');
  return sandbox !== undefined;
}

/**
 * Forgets a sandbox that is stopped. Nothing of it is on the node any more: it would be `stopping` still.
 *
 * @throws {Fault} failed_precondition — it is not stopped
 */
export async function removeSandbox(deps: SandboxDeps, call: Call, id: SandboxId): Promise<void> {
  using _guard = await deps.locks.acquireFor(id, call);
  const sandbox = deps.store.find(id);
  if (sandbox === undefined) return;
  if (sandbox.state.phase !== 'stopped') {
    throw new Fault('failed_precondition', `cannot remove pod sandbox "${id}": it is ${sandbox.state.phase}`);
  }
  await deps.store.remove(id);
}

async function enter(deps: SandboxDeps, id: SandboxId, phase: Parameters<typeof move>[1]): Promise<void> {
  const sandbox = deps.store.get(id);
  await deps.store.put({ ...sandbox, state: move(sandbox.state, phase) });
}
