import { expect, test } from 'vitest';
import { KeyedLock } from '../async/keyed-lock.ts';
import { testCall } from '../base/testing/call.ts';
import { ExitWaiters, recordExit, type ExitDeps } from './exit.ts';
import { aContainer, process, shim } from './testing/container.ts';
import { FakeStore } from './testing/store.ts';

const running = aContainer({ phase: 'running', process, shim, startedAtNs: 1n });

function setUp({ oomKill, hook }: { readonly oomKill?: string | undefined; readonly hook?: string } = {}) {
  const store = new FakeStore(running);
  const deps: ExitDeps = {
    locks: new KeyedLock(),
    store,
    waiters: new ExitWaiters(),
    cgroups: { killAll: () => Promise.resolve() },
    findOomKill: () => Promise.resolve(oomKill),
    findFailedHook: () => Promise.resolve(hook),
  };
  return { deps, store };
}

test.each([
  { exitCode: 0, oom: undefined, reason: 'Completed', message: '' },
  { exitCode: 7, oom: undefined, reason: 'Error', message: '' },
  { exitCode: 128, oom: undefined, reason: 'Error', message: '' },
  { exitCode: 137, oom: undefined, reason: 'Error', message: 'killed by SIGKILL (9)' },
  { exitCode: 139, oom: undefined, reason: 'Error', message: 'killed by SIGSEGV (11)' },
  { exitCode: 255, oom: undefined, reason: 'Error', message: '' },
  { exitCode: 137, oom: 'the limit', reason: 'OOMKilled', message: 'the limit' },
])('recordExit() calls an end with code $exitCode $reason: $message', async (expected) => {
  const { exitCode, oom, reason, message } = expected;
  const { deps, store } = setUp({ oomKill: oom });
  await recordExit(deps, testCall, running.id, { exitCode, finishedAtNs: 9n });
  expect(store.get(running.id).state).toEqual({
    phase: 'exited',
    exitCode,
    startedAtNs: 1n,
    finishedAtNs: 9n,
    reason,
    message,
  });
});

test.each([
  [1, 'hook "x" failed'],
  [0, ''],
])('recordExit() tells of a hook that failed, with code %i: "%s"', async (exitCode, message) => {
  const { deps, store } = setUp({ hook: 'hook "x" failed' });
  await recordExit(deps, testCall, running.id, { exitCode, finishedAtNs: 9n });
  expect(store.get(running.id).state).toMatchObject({ message });
});

test('recordExit() believes the first report', async () => {
  const { deps, store } = setUp();
  await recordExit(deps, testCall, running.id, { exitCode: 7, finishedAtNs: 9n });
  await recordExit(deps, testCall, running.id, 'unwatched');
  expect(store.get(running.id).state).toMatchObject({ exitCode: 7 });
  expect(store.phases).toEqual(['exited']);
});

test.each([
  ['unwatched', /^the monitor of the container ended/],
  ['rebooted', /^the node was rebooted/],
] as const)('an end that nobody saw is said to be unknown, and why: %s', async (end, message) => {
  const { deps, store } = setUp();
  await recordExit(deps, testCall, running.id, end);
  expect(store.get(running.id).state).toMatchObject({
    exitCode: 255,
    reason: 'ContainerStatusUnknown',
    message: expect.stringMatching(message) as string,
  });
});

test('recordExit() wakes who waits, and leaves no listener behind', async () => {
  const { deps } = setUp();
  const waiting = deps.waiters.wait(running.id, new AbortController().signal);
  await recordExit(deps, testCall, running.id, { exitCode: 0, finishedAtNs: 9n });
  await waiting;
});
