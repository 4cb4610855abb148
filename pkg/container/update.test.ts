import { expect, test } from 'vitest';
import { KeyedLock } from '../async/keyed-lock.ts';
import { testCall } from '../base/testing/call.ts';
import type { KernelLimits } from '../runtime/kernel-limits.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import type { Container } from './container.ts';
import { aContainer } from './testing/container.ts';
import { updateResources, type UpdateDeps } from './update.ts';

const RUNNING: Container['state'] = {
  phase: 'running',
  process: { pid: 1000, startTicks: '1' },
  shim: { pid: 1001, startTicks: '1' },
  startedAtNs: 1n,
};

/** A kernel in a variable: takes what the runtime says, `-1` for no limit, and refuses processor 4000. */
class FakeNode {
  limits: KernelLimits = { hugepageLimits: [], unified: {} };
  container: Container;
  readonly deps: UpdateDeps;

  constructor(resources: ResourcesInput) {
    this.container = { ...aContainer(RUNNING), resources };
    this.deps = {
      locks: new KeyedLock(),
      store: {
        get: () => this.container,
        put: async (container) => {
          this.container = container;
        },
      },
      runtime: {
        limits: async () => this.limits,
        update: async (_call, _container, asked) => {
          this.#take(asked);
        },
      },
    };
  }

  #take({ memoryLimitBytes, memorySwapLimitBytes, cpusetCpus }: ResourcesInput): void {
    const swap = memorySwapLimitBytes ?? memoryLimitBytes;
    const { memoryLimitBytes: memory, memorySwapLimitBytes: together } = this.limits;
    this.limits = {
      ...this.limits,
      memoryLimitBytes: memoryLimitBytes === undefined ? memory : toLimit(memoryLimitBytes),
      memorySwapLimitBytes: swap === undefined ? together : toLimit(swap),
    };
    if (cpusetCpus === '4000') throw new Error('no such processor');
  }
}

function toLimit(value: bigint): bigint | undefined {
  return value < 0n ? undefined : value;
}

test('an update is told as the kernel has it', async () => {
  const node = new FakeNode({});
  await updateResources(node.deps, testCall, node.container.id, { memoryLimitBytes: 8192n });
  expect(node.container.resources).toMatchObject({ memoryLimitBytes: 8192n });
});

test('an update that fails half way takes a limit away again that was not there before', async () => {
  const node = new FakeNode({});
  const update = { memoryLimitBytes: 8192n, cpusetCpus: '4000' };
  await expect(updateResources(node.deps, testCall, node.container.id, update)).rejects.toThrow(
    'no such processor',
  );
  expect(node.limits).toMatchObject({ memoryLimitBytes: undefined, memorySwapLimitBytes: undefined });
  expect(node.container.resources).toEqual({});
});

test('a limit of memory alone leaves the swap that there is', async () => {
  const node = new FakeNode({ memoryLimitBytes: 4096n, memorySwapLimitBytes: 12_288n });
  await updateResources(node.deps, testCall, node.container.id, { memoryLimitBytes: 8192n });
  expect(node.limits).toMatchObject({ memoryLimitBytes: 8192n, memorySwapLimitBytes: 12_288n });
});

test('a limit of huge pages that the runtime leaves as it was is told, and nothing is changed', async () => {
  const node = new FakeNode({});
  node.limits = { ...node.limits, hugepageLimits: [{ pageSize: '2MB', limitBytes: 0n }] };
  const update = { memoryLimitBytes: 8192n, hugepageLimits: [{ pageSize: '2MB', limitBytes: 4_194_304n }] };
  await expect(updateResources(node.deps, testCall, node.container.id, update)).rejects.toMatchObject({
    code: 'unimplemented',
    message: `cannot update container "${node.container.id}": its runtime does not change the limit of 2MB pages`,
  });
  expect(node.limits.memoryLimitBytes).toBeUndefined();
});
