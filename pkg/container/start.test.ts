import { expect, test } from 'vitest';
import { KeyedLock } from '../async/keyed-lock.ts';
import { Fault } from '../base/fault.ts';
import { testCall } from '../base/testing/call.ts';
import { startContainer, type StartDeps } from './start.ts';
import { aContainer, process, shim } from './testing/container.ts';
import { FakeStore } from './testing/store.ts';

const created = aContainer({ phase: 'created', process, shim });

function setUp(start: StartDeps['runtime']['start']) {
  const store = new FakeStore(created);
  const killed: number[] = [];
  const signal: StartDeps['signal'] = ({ pid }) => Promise.resolve(killed.push(pid) > 0);
  const deps: StartDeps = { locks: new KeyedLock(), runtime: { start }, signal, now: () => 7n, store };
  return { deps, store, killed };
}

test('startContainer() records that it starts before it starts', async () => {
  const seen: string[] = [];
  const { deps, store } = setUp(() => {
    seen.push(...store.phases);
    return Promise.resolve();
  });
  await startContainer(deps, testCall, created.id);
  expect(seen).toEqual(['starting']);
  expect(store.get(created.id).state).toEqual({ phase: 'running', process, shim, startedAtNs: 7n });
});

test('startContainer() leaves an exited container when the runtime refuses, with its words', async () => {
  const { deps, store, killed } = setUp(() => Promise.reject(new Fault('internal', 'exec format error')));
  await expect(startContainer(deps, testCall, created.id)).rejects.toMatchObject({
    code: 'internal',
    message: 'exec format error',
  });
  expect(store.get(created.id).state).toMatchObject({
    phase: 'exited',
    exitCode: 128,
    reason: 'StartError',
    message: 'exec format error',
  });
  expect(killed).toEqual([process.pid]);
});

test('startContainer() does not pretend to know when the runtime is silent', async () => {
  const { deps, store, killed } = setUp(() => Promise.reject(new DOMException('too slow', 'TimeoutError')));
  await expect(startContainer(deps, testCall, created.id)).rejects.toThrow('too slow');
  expect(store.get(created.id).state).toEqual({ phase: 'lost', process, shim, startedAtNs: 7n });
  expect(killed).toEqual([]);
});

test('startContainer() will not start it twice', async () => {
  const { deps } = setUp(() => Promise.resolve());
  await startContainer(deps, testCall, created.id);
  await expect(startContainer(deps, testCall, created.id)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `cannot start container "${created.id}": it is running`,
  });
});
