// UpdatePodSandboxResources: takes note of the limits of a whole pod. The pod's cgroup is the kubelet's, which has set
// them there before it asks.

import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { SandboxId } from '../base/id.ts';
import type { SandboxDeps } from './operations.ts';
import type { SandboxConfig } from './sandbox.ts';

export type PodResources = Pick<SandboxConfig, 'resources' | 'overhead'>;

/**
 * What is absent stays as it is.
 *
 * @throws {Fault} failed_precondition — the sandbox is not ready
 */
export async function updatePodResources(
  { locks, store }: Pick<SandboxDeps, 'locks' | 'store'>,
  call: Call,
  id: SandboxId,
  { resources, overhead }: PodResources,
): Promise<void> {
  using _guard = await locks.acquireFor(id, call);
  const sandbox = store.get(id);
  const { config, state } = sandbox;
  if (state.phase !== 'ready')
    throw new Fault('failed_precondition', `cannot update pod sandbox "${id}": it is ${state.phase}`);
  const updated = { resources: resources ?? config.resources, overhead: overhead ?? config.overhead };
  await store.put({ ...sandbox, config: { ...config, ...updated } });
}
