import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyedLock } from '../async/keyed-lock.ts';
import { silentLog, testCall } from '../base/testing/call.ts';
import type { ContainerId, SandboxId } from '../base/id.ts';
import type { Container } from '../container/container.ts';
import { ExitWaiters, recordExit, type ExitReport } from '../container/exit.ts';
import { containerCodec } from '../container/record.ts';
import { aContainer, process, shim } from '../container/testing/container.ts';
import { sandboxCodec } from '../sandbox/record.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { aSandbox } from '../sandbox/testing/sandbox.ts';
import { Database } from '../store/database.ts';
import { RecordStore } from '../store/record-store.ts';
import { uptimeMs } from '../sys/uptime.ts';
import { recoverPods, type RecoverDeps } from './recover.ts';

let dir: string;
let db: Database;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'davit-test-recover-'));
  db = await Database.open(join(dir, 'db'));
});
afterEach(async () => {
  await db[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

/** What the node is like when the daemon comes back. */
interface Node {
  readonly alive?: readonly number[];
  readonly sameBoot?: boolean;
  readonly report?: ExitReport;
  readonly status?: string;
  readonly whole?: boolean;
}

async function setUp(containers: readonly Container[], sandboxes: readonly Sandbox[], node: Node) {
  const store = await RecordStore.load<ContainerId, Container>(db, {
    kind: 'container',
    codec: containerCodec,
    log: silentLog,
  });
  const sandboxStore = await RecordStore.load<SandboxId, Sandbox>(db, {
    kind: 'sandbox',
    codec: sandboxCodec,
    log: silentLog,
  });
  for (const container of containers) await store.put(container);
  for (const sandbox of sandboxes) await sandboxStore.put(sandbox);
  const deps = makeDeps(store, sandboxStore, node);
  const { unfinished } = await recoverPods(deps.recover, testCall);
  await unfinished;
  return { store, sandboxStore, ...deps };
}

function makeDeps(
  store: RecordStore<ContainerId, Container>,
  sandboxStore: RecordStore<SandboxId, Sandbox>,
  { alive = [], sameBoot = true, report, status, whole = true }: Node,
) {
  const done: string[] = [];
  const note = (what: string) => () => {
    done.push(what);
    return Promise.resolve();
  };
  const cgroups = { create: note('cgroup'), remove: note('no cgroup'), killAll: note('kill') };
  const waiters = new ExitWaiters();
  const locks = new KeyedLock<ContainerId>();
  const exit = {
    locks,
    store,
    waiters,
    cgroups,
    findOomKill: () => Promise.resolve(undefined),
    findFailedHook: () => Promise.resolve(undefined),
  };
  const never = () => Promise.reject(new Error('nothing is created by recovering'));
  const recover: RecoverDeps = {
    exit,
    containers: store,
    sandboxes: sandboxStore,
    container: {
      runDir: join(dir, 'run'),
      locks,
      store,
      waiters,
      cgroups: { ...cgroups, delegate: never },
      snapshots: { prepare: never, remove: note('no snapshot') },
      volumes: { mount: never, remove: () => Promise.resolve() },
      runtime: { create: never, delete: note('delete') },
      signal: async (_, signal) => {
        done.push(`signal ${signal}`);
        const [container] = store.list();
        if (container !== undefined)
          await recordExit(exit, testCall, container.id, { exitCode: 137, finishedAtNs: 9n });
        return true;
      },
      uptimeMs,
      describeProcess: () => Promise.resolve(''),
    },
    sandbox: {
      runDir: join(dir, 'run'),
      locks: new KeyedLock(),
      store: sandboxStore,
      cgroups,
      networks: { attach: never, detach: note('detach') },
      init: { start: never, remove: note('no init') },
    },
    exits: {
      watch: ({ id }) => {
        done.push(`watch ${id[0] ?? ''}`);
      },
    },
    findReport: () => Promise.resolve(report),
    sameBoot,
    isAlive: ({ pid }) => Promise.resolve(alive.includes(pid)),
    runtimeStatus: () => Promise.resolve(status),
    isWhole: () => Promise.resolve(whole),
    checkNetwork: () => {
      done.push('check network');
      return Promise.reject(new Error('no such rule'));
    },
  };
  return { recover, done };
}

const running = { process, shim, startedAtNs: 1n };
const BOTH = [process.pid, shim.pid];
const c = 'c'.repeat(64) as ContainerId;

test('a container that runs goes on, and is watched', async () => {
  const before = aContainer({ phase: 'running', ...running });
  const { store, done } = await setUp([before], [], { alive: BOTH });
  expect({ container: store.get(c), done }).toEqual({ container: before, done: ['watch c'] });
});

test('an end that happened while the daemon was away is recorded with its code and time', async () => {
  const report = { exitCode: 7, finishedAtNs: 5n };
  const { store } = await setUp([aContainer({ phase: 'running', ...running })], [], { report });
  expect(store.get(c).state).toMatchObject({ phase: 'exited', exitCode: 7, finishedAtNs: 5n });
});

test('no container outlives a reboot, whoever has its pid now', async () => {
  const node = { alive: BOTH, sameBoot: false };
  const { store, done } = await setUp([aContainer({ phase: 'running', ...running })], [], node);
  expect(store.get(c).state).toMatchObject({
    phase: 'exited',
    message: expect.stringMatching(/rebooted/) as string,
  });
  expect(done).toEqual([]);
});

test('a container that is gone without a word is said to be unknown', async () => {
  const { store } = await setUp([aContainer({ phase: 'running', ...running })], [], {});
  expect(store.get(c).state).toMatchObject({ phase: 'exited', reason: 'ContainerStatusUnknown' });
});

test('a container whose monitor is about to report is left to it', async () => {
  const { store, done } = await setUp([aContainer({ phase: 'running', ...running })], [], {
    alive: [shim.pid],
  });
  expect({ phase: store.get(c).state.phase, done }).toEqual({ phase: 'running', done: ['watch c'] });
});

test.each([
  { status: 'created', phase: 'created' },
  { status: 'running', phase: 'running' },
])('a start that was cut off is asked of the runtime: $status', async ({ status, phase }) => {
  const { store } = await setUp([aContainer({ phase: 'starting', ...running })], [], { alive: BOTH, status });
  expect(store.get(c).state.phase).toBe(phase);
});

test('a stop that was cut off is finished', async () => {
  const stopping = aContainer({ phase: 'stopping', ...running, killAtUptimeMs: 1, signalled: true });
  const { store, done } = await setUp([stopping], [], { alive: BOTH });
  expect(store.get(c).state).toMatchObject({ phase: 'exited', exitCode: 137 });
  expect(done).toContain('signal SIGKILL');
});

test.each([{ phase: 'creating' as const }, { phase: 'removing' as const, last: undefined }])(
  'of a container that was $phase nothing is left',
  async (state) => {
    const { store, done } = await setUp([aContainer(state)], [], {});
    expect(store.list()).toEqual([]);
    expect(done).toEqual(['delete', 'kill', 'no cgroup', 'no snapshot']);
  },
);

test('a pod that is not whole any more is stopped', async () => {
  const { sandboxStore } = await setUp([], [aSandbox({ phase: 'ready' })], { whole: false });
  expect(sandboxStore.list().map(({ state }) => state.phase)).toEqual(['stopped']);
});

test('a pod that is whole stays ready, whatever the plugins of its network say', async () => {
  const { sandboxStore, done } = await setUp([], [aSandbox({ phase: 'ready' })], {});
  expect({ phases: sandboxStore.list().map(({ state }) => state.phase), done }).toEqual({
    phases: ['ready'],
    done: ['check network'],
  });
});

test('of a pod that was being created nothing is left', async () => {
  const { sandboxStore, done } = await setUp([], [aSandbox({ phase: 'creating' })], {});
  expect(sandboxStore.list()).toEqual([]);
  expect(done).toContain('no cgroup');
});

test('one container that resists does not keep the others from being recovered', async () => {
  const bad = aContainer({ phase: 'starting', ...running }, 'b'.repeat(64));
  const good = aContainer({ phase: 'starting', ...running });
  const { recover } = makeDeps(
    await empty('container', containerCodec),
    await empty('sandbox', sandboxCodec),
    {
      alive: BOTH,
    },
  );
  const store = await empty<ContainerId, Container>('container', containerCodec);
  await store.put(bad);
  await store.put(good);
  const runtimeStatus: RecoverDeps['runtimeStatus'] = (_, { id }) =>
    id === bad.id ? Promise.reject(new Error('runc crashed')) : Promise.resolve('running');
  const container = { ...recover.container, store };
  await recoverPods({ ...recover, container, containers: store, runtimeStatus }, testCall);
  expect(store.list().map(({ state }) => state.phase)).toEqual(['starting', 'running']);
});

function empty<Id extends string, T extends { readonly id: Id }>(
  kind: string,
  codec: Parameters<typeof RecordStore.load<Id, T>>[1]['codec'],
) {
  return RecordStore.load<Id, T>(db, { kind, codec, log: silentLog });
}
