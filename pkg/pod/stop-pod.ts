// StopPodSandbox and RemovePodSandbox: the containers first, then what they shared.

import type { Call } from '../base/call.ts';
import type { ContainerId, SandboxId } from '../base/id.ts';
import type { Container } from '../container/container.ts';
import { removeContainer, type CreateDeps } from '../container/create.ts';
import { mayExit } from '../container/phase.ts';
import { stopContainer, type StopDeps } from '../container/stop.ts';
import { beginStop, removeSandbox, stopSandbox, type SandboxDeps } from '../sandbox/operations.ts';

export interface StopPodDeps {
  readonly sandbox: SandboxDeps;
  readonly container: StopDeps & CreateDeps;
  readonly containers: { list(): Container[] };
}

/** Stops everything of the pod. It may be repeated; a pod that is not there has been stopped. */
export async function stopPod(deps: StopPodDeps, call: Call, id: SandboxId): Promise<void> {
  const isThere = await beginStop(deps.sandbox, call, id); // no container is created from now on
  if (!isThere) return;
  await forEach(containersOf(deps, id), (container) => stopNow(deps, call, container.id));
  await stopSandbox(deps.sandbox, call, id);
}

/** Stops and forgets everything of the pod. It may be repeated. */
export async function removePod(deps: StopPodDeps, call: Call, id: SandboxId): Promise<void> {
  await stopPod(deps, call, id);
  await forEach(containersOf(deps, id), (container) => removeContainer(deps.container, call, container.id));
  await removeSandbox(deps.sandbox, call, id);
}

/** Removes a container, killing it first if it still runs. */
export async function forceRemoveContainer(deps: StopPodDeps, call: Call, id: ContainerId): Promise<void> {
  await stopNow(deps, call, id);
  await removeContainer(deps.container, call, id);
}

async function stopNow(deps: StopPodDeps, call: Call, id: ContainerId): Promise<void> {
  // Waits for a creation or a start under way: after it, the container either may exit or is not there.
  (await deps.container.locks.acquire(id, call.signal))[Symbol.dispose]();
  const state = deps.container.store.find(id)?.state;
  if (state !== undefined && mayExit(state)) await stopContainer(deps.container, call, id, 0);
}

function containersOf({ containers }: StopPodDeps, id: SandboxId): Container[] {
  return containers.list().filter(({ sandboxId }) => sandboxId === id);
}

/** All side by side; one failure does not keep the others from being tried. */
async function forEach(
  containers: readonly Container[],
  action: (container: Container) => Promise<void>,
): Promise<void> {
  const results = await Promise.allSettled(containers.map(action));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
