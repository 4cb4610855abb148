// UpdateContainerResources: new limits for a live container, all of them or none.

import type { KeyedLock } from '../async/keyed-lock.ts';
import { detached, type Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import type { Container } from './container.ts';
import { mayExit } from './phase.ts';

export interface UpdateDeps {
  readonly locks: KeyedLock<ContainerId>;
  readonly store: { get(id: ContainerId): Container; put(container: Container): Promise<void> };
  readonly runtime: {
    update(call: Call, container: Container, resources: ResourcesInput): Promise<void>;
  };
}

/**
 * What `resources` does not say stays as it is. If the kernel takes only a part, what was before is put back.
 *
 * @throws {Fault} failed_precondition — the container has ended; or what the runtime said
 */
export async function updateResources(
  { locks, store, runtime }: UpdateDeps,
  call: Call,
  id: ContainerId,
  resources: ResourcesInput,
): Promise<void> {
  using _guard = await locks.acquire(id, call.signal);
  const container = store.get(id);
  const before = container.resources ?? {};
  if (!mayExit(container.state)) {
    throw new Fault('failed_precondition', `cannot update container "${id}": it is ${container.state.phase}`);
  }
  const rest = detached(call);
  try {
    await runtime.update(rest, container, resources);
  } catch (cause) {
    await runtime.update(rest, container, before).catch((err: unknown) => {
      call.log.warn({ id, err }, 'cannot put the limits of container back');
    });
    throw cause;
  }
  await store.put({ ...container, resources: merge(before, resources) });
}

function merge(before: ResourcesInput, after: ResourcesInput): ResourcesInput {
  const said = Object.entries(after).filter(([, value]) => value !== undefined);
  return { ...before, ...Object.fromEntries(said) };
}
