import { expect, test } from 'vitest';
import { KeyedLock } from '../async/keyed-lock.ts';
import type { ContainerId } from '../base/id.ts';
import { silentLog } from '../base/testing/call.ts';
import { ExitWaiters, type ExitReport } from '../container/exit.ts';
import { aContainer, process, shim } from '../container/testing/container.ts';
import { FakeStore } from '../container/testing/store.ts';
import type { ProcessIdentity } from '../sys/process-identity.ts';
import { Exits } from './exits.ts';

const running = aContainer({ phase: 'running', process, shim, startedAtNs: 1n });
const report: ExitReport = { exitCode: 7, finishedAtNs: 9n };

/** @param ends resolves the wait for the end of each process, by pid */
function setUp(found: ExitReport | undefined) {
  const store = new FakeStore(running);
  const ended = new Map([process.pid, shim.pid].map((pid) => [pid, Promise.withResolvers<undefined>()]));
  let shimsLost = 0;
  const deps = {
    exit: {
      locks: new KeyedLock<ContainerId>(),
      store,
      waiters: new ExitWaiters(),
      cgroups: { killAll: () => Promise.resolve() },
      findOomKill: () => Promise.resolve(undefined),
      findFailedHook: () => Promise.resolve(undefined),
    },
    log: silentLog,
    firstPauseMs: 1,
    findReport: () => Promise.resolve(found),
    waitForExit: async ({ pid }: ProcessIdentity, _signal: AbortSignal) => {
      await ended.get(pid)?.promise;
    },
    onShimLost: () => {
      shimsLost += 1;
    },
    onWatch: () => undefined,
    stopping: new AbortController().signal,
  };
  const exits = new Exits(deps);
  const end = (pid: number) => ended.get(pid)?.resolve(undefined);
  return { exits, deps, store, end, state: () => store.get(running.id).state, shimsLost: () => shimsLost };
}

test('the end of the shim is enough, should nobody have told of its exit file', async () => {
  const { exits, end, state, shimsLost } = setUp(report);
  exits.watch(running);
  end(shim.pid);
  await expect.poll(state).toMatchObject({ phase: 'exited', exitCode: 7 });
  expect(shimsLost()).toBe(0);
});

test('a container whose shim died runs on, is told of, and ends when its process does', async () => {
  const { exits, end, state, shimsLost } = setUp(undefined);
  exits.watch(running);
  end(shim.pid);
  await expect.poll(shimsLost).toBe(1);
  expect(state().phase).toBe('running');
  end(process.pid);
  await expect.poll(state).toMatchObject({ phase: 'exited', reason: 'ContainerStatusUnknown' });
});

test('an end that cannot be recorded now is recorded later', async () => {
  const { exits, store, state } = setUp(undefined);
  const put = store.put.bind(store);
  let failures = 2;
  store.put = (container) => {
    failures -= 1;
    return failures >= 0 ? Promise.reject(new Error('no space left on device')) : put(container);
  };
  exits.onReport(running.id, report);
  await expect.poll(state).toMatchObject({ phase: 'exited', exitCode: 7 });
});

test('a container that cannot be watched now is watched later', async () => {
  const { exits, end, state, deps } = setUp(report);
  const { waitForExit } = deps;
  let failures = 2;
  deps.waitForExit = (who, signal) => {
    failures -= 1;
    return failures >= 0 ? Promise.reject(new Error('too many open files')) : waitForExit(who, signal);
  };
  exits.watch(running);
  end(shim.pid);
  await expect.poll(state).toMatchObject({ phase: 'exited', exitCode: 7 });
});
