// UpdateContainerResources: new limits for a live container, all of them or none.

import type { KeyedLock } from '../async/keyed-lock.ts';
import { detached, type Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId } from '../base/id.ts';
import { actualResources, restoringResources } from '../runtime/actual-resources.ts';
import type { KernelLimits } from '../runtime/kernel-limits.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import type { Container } from './container.ts';
import { mayExit } from './phase.ts';

export interface UpdateDeps {
  readonly locks: KeyedLock<ContainerId>;
  readonly store: { get(id: ContainerId): Container; put(container: Container): Promise<void> };
  readonly runtime: {
    update(call: Call, container: Container, resources: ResourcesInput): Promise<void>;
    /** What the kernel has now, of all that `asked` says. */
    limits(container: Container, asked: ResourcesInput): Promise<KernelLimits>;
  };
}

/**
 * What `resources` does not say stays as it is. If the kernel takes only a part, what it had before is put back.
 *
 * @throws {Fault} failed_precondition — the container has ended; unimplemented — the runtime left a limit as it
 * was; or what the runtime said
 */
export async function updateResources(
  { locks, store, runtime }: UpdateDeps,
  call: Call,
  id: ContainerId,
  resources: ResourcesInput,
): Promise<void> {
  using _guard = await locks.acquireFor(id, call);
  const container = store.get(id);
  const before = container.resources ?? {};
  if (!mayExit(container.state)) {
    throw new Fault('failed_precondition', `cannot update container "${id}": it is ${container.state.phase}`);
  }
  const rest = detached(call);
  const update = withSwap(resources, before);
  const kernel = await runtime.limits(container, update);
  const asked = merge(before, update);
  try {
    await runtime.update(rest, container, update);
    const now = await runtime.limits(container, asked);
    checkHugepages(container, update, now);
    await store.put({ ...container, resources: actualResources(asked, now) });
  } catch (cause) {
    await runtime.update(rest, container, restoringResources(update, kernel)).catch((err: unknown) => {
      call.log.warn({ id, err }, 'cannot put the limits of container back');
    });
    throw cause;
  }
}

/** A limit of memory alone would mean no swap: what there is of it stays, as far as it can. */
function withSwap(update: ResourcesInput, { memorySwapLimitBytes: swap }: ResourcesInput): ResourcesInput {
  const { memoryLimitBytes: memory, memorySwapLimitBytes } = update;
  if (memory === undefined || memorySwapLimitBytes !== undefined || swap === undefined) return update;
  return { ...update, memorySwapLimitBytes: swap < 0n || swap > memory ? swap : memory };
}

/** Not every runtime changes them in a container that runs, and none says so. */
function checkHugepages({ id }: Container, { hugepageLimits = [] }: ResourcesInput, now: KernelLimits): void {
  const has = new Map(now.hugepageLimits.map(({ pageSize, limitBytes }) => [pageSize, limitBytes]));
  const left = hugepageLimits.find(
    ({ pageSize, limitBytes }) => (has.get(pageSize) ?? limitBytes) !== limitBytes,
  );
  if (left === undefined) return;
  throw new Fault(
    'unimplemented',
    `cannot update container "${id}": its runtime does not change the limit of ${left.pageSize} pages`,
  );
}

/** What is no limit of a cgroup stays as it was given when the container was created. */
function merge(before: ResourcesInput, { oomScoreAdj: _, ...update }: ResourcesInput): ResourcesInput {
  const said = Object.entries(update).filter(([, value]) => value !== undefined);
  return { ...before, ...Object.fromEntries(said), unified: mergeFiles(before.unified, update.unified) };
}

function mergeFiles(
  before: ResourcesInput['unified'],
  update: ResourcesInput['unified'],
): ResourcesInput['unified'] {
  return before === undefined && update === undefined ? undefined : { ...before, ...update };
}
