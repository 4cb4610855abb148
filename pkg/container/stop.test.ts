import { expect, test, vi } from 'vitest';
import { KeyedLock } from '../async/keyed-lock.ts';
import { testCall } from '../base/testing/call.ts';
import { uptimeMs } from '../sys/uptime.ts';
import { ExitWaiters, recordExit, type ExitDeps } from './exit.ts';
import { stopContainer, type StopDeps } from './stop.ts';
import { aContainer, process, shim } from './testing/container.ts';
import { FakeStore } from './testing/store.ts';

const running = aContainer({ phase: 'running', process, shim, startedAtNs: 1n });

/** @param deadly the signals of which the container dies */
function setUp({ container = running, deadly = [15, 'SIGKILL'] as (string | number)[] } = {}) {
  const store = new FakeStore(container);
  const waiters = new ExitWaiters();
  const locks: ExitDeps['locks'] = new KeyedLock();
  const signals: (string | number)[] = [];
  const killedCgroups: string[] = [];
  const cgroups = {
    killAll: (_: unknown, path: string) => {
      killedCgroups.push(path);
      return Promise.resolve();
    },
  };
  const exit: ExitDeps = {
    locks,
    store,
    waiters,
    cgroups,
    findOomKill: () => Promise.resolve(undefined),
    findFailedHook: () => Promise.resolve(undefined),
  };
  const die = () => recordExit(exit, testCall, container.id, { exitCode: 143, finishedAtNs: 9n });
  const deps: StopDeps = {
    locks,
    store,
    waiters,
    cgroups,
    signal: (_, signal) => {
      signals.push(signal);
      if (deadly.includes(signal)) void die();
      return Promise.resolve(true);
    },
    uptimeMs,
    describeProcess: () => Promise.resolve('process 4242 waits in io_schedule'),
  };
  return { deps, store, signals, killedCgroups, die };
}

const state = (store: FakeStore) => store.get(running.id).state;

test('stopContainer() records that it stops before it signals, and waits for the end', async () => {
  const { deps, store, signals } = setUp();
  await stopContainer(deps, testCall, running.id, 60_000);
  expect({ signals, phases: store.phases }).toEqual({
    signals: [15],
    phases: ['stopping', 'stopping', 'exited'], // it is about to be signalled, it was
  });
  expect(state(store)).toMatchObject({ phase: 'exited', exitCode: 143, reason: 'Error', startedAtNs: 1n });
});

test('stopContainer() kills what does not heed the stop signal', async () => {
  const { deps, store, signals } = setUp({ deadly: ['SIGKILL'] });
  await stopContainer(deps, testCall, running.id, 20);
  expect(signals).toEqual([15, 'SIGKILL']);
  expect(state(store).phase).toBe('exited');
});

test('stopContainer() without patience kills at once', async () => {
  const { deps, signals } = setUp();
  await stopContainer(deps, testCall, running.id, 0);
  expect(signals).toEqual(['SIGKILL']);
});

test('a second stop with less patience shortens the first, and does not signal again', async () => {
  const { deps, signals } = setUp({ deadly: ['SIGKILL'] });
  const patient = stopContainer(deps, testCall, running.id, 600_000);
  await expect.poll(() => signals).toEqual([15]);
  await stopContainer(deps, testCall, running.id, 20);
  await patient;
  expect(signals.filter((signal) => signal === 15)).toHaveLength(1);
});

test.each([
  ['sent its signal', true, []],
  ['not yet sent its signal', false, [15]],
])('a stop that was cut off goes on with a container that was %s', async (_, signalled, expected) => {
  const killAtUptimeMs = uptimeMs() + 600_000;
  const container = aContainer({
    phase: 'stopping',
    process,
    shim,
    startedAtNs: 1n,
    killAtUptimeMs,
    signalled,
  });
  const { deps, signals, die } = setUp({ container, deadly: [] });
  const stop = stopContainer(deps, testCall, container.id, 600_000);
  await expect.poll(() => signals).toEqual(expected);
  await die();
  await stop;
  expect(signals).toEqual(expected);
});

test('stopContainer() leaves alone what has ended or is gone', async () => {
  const { deps, store, signals, die } = setUp();
  await die();
  await stopContainer(deps, testCall, running.id, 0);
  await stopContainer(deps, testCall, 'd'.repeat(64) as typeof running.id, 0);
  expect({ signals, phases: store.phases }).toEqual({ signals: [], phases: ['exited'] });
});

test('stopContainer() kills one that was created and never started', async () => {
  const { deps, store, signals } = setUp({
    container: aContainer({ phase: 'created', process, shim }),
    deadly: ['SIGKILL'],
  });
  await stopContainer(deps, testCall, running.id, 60_000);
  expect(signals).toEqual(['SIGKILL']);
  expect(state(store)).toMatchObject({ phase: 'exited', startedAtNs: 0n });
});

test('a caller that leaves does not stop the stopping: the record keeps its deadline', async () => {
  const { deps, store } = setUp({ deadly: [] });
  const caller = new AbortController();
  const stop = stopContainer(deps, { ...testCall, signal: caller.signal }, running.id, 600_000);
  await expect.poll(() => state(store).phase).toBe('stopping');
  caller.abort(new Error('left'));
  await expect(stop).rejects.toThrow('left');
  expect(state(store)).toMatchObject({ phase: 'stopping' });
});

test('processes of a container that shares its pid namespace are killed with it', async () => {
  const { deps, killedCgroups } = setUp({ container: { ...running, ownPidNamespace: false } });
  await stopContainer(deps, testCall, running.id, 0);
  expect(killedCgroups).toContain(running.cgroupPath);
});

test.each([
  ['back', '2001-01-01T00:00:00Z'],
  ['forward', '2091-01-01T00:00:00Z'],
])('a clock that is set %s neither shortens nor prolongs a grace period', async (_, time) => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const { deps, signals } = setUp({ deadly: ['SIGKILL'] });
    const graceMs = 300;
    const before = uptimeMs();
    const stop = stopContainer(deps, testCall, running.id, graceMs);
    await vi.waitUntil(() => signals.length === 1);
    vi.setSystemTime(time);
    deps.waiters.tell(running.id); // it looks at the clock again
    await stop;
    expect(signals).toEqual([15, 'SIGKILL']);
    expect(uptimeMs() - before).toBeGreaterThanOrEqual(graceMs - 1);
  } finally {
    vi.useRealTimers();
  }
});
