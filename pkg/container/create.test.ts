import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { KeyedLock } from '../async/keyed-lock.ts';
import { operationSuite } from '../async/testing/operation-suite.ts';
import { silentLog, testCall } from '../base/testing/call.ts';
import type { ContainerId, ImageId } from '../base/id.ts';
import { Database } from '../store/database.ts';
import { RecordStore } from '../store/record-store.ts';
import type { Container } from './container.ts';
import {
  createContainer,
  createOperation,
  removeContainer,
  type CreateDeps,
  type Mounted,
  type Plan,
} from './create.ts';
import { containerCodec } from './record.ts';
import { aContainer, process, shim } from './testing/container.ts';

const imageMount = {
  containerPath: '/data',
  hostPath: '',
  image: { name: 'data', userSpecified: 'data:1', id: `sha256:${'1'.repeat(64)}` as ImageId, subPath: 'sub' },
  readonly: true,
  recursiveReadOnly: false,
  propagation: 'private',
  selinuxRelabel: false,
} as const;
const c1: Container = { ...aContainer({ phase: 'creating' }), mounts: [imageMount] };
const plan: Plan = {
  readonlyRootfs: false,
  idmappedVolumes: [],
  cgroupWritable: false,
  stdin: { open: false, once: false },
  writeBundle: () => Promise.resolve({ uid: 0, gid: 0, supplementalGroups: [0] }),
};
const dirs: string[] = [];
afterAll(async () => {
  for (const dir of dirs) await rm(dir, { recursive: true });
});

/** A node in memory, but for the bundles; it outlives the daemons of a test. */
function makeNode(runDir: string) {
  const things = new Set<string>();
  const node: Omit<CreateDeps, 'store' | 'locks'> = {
    runDir,
    snapshots: {
      prepare: (_, id) => {
        things.add(`mount ${id}`);
        return Promise.resolve({ rootfs: `/rootfs/${id}` });
      },
      remove: (_, id) => {
        things.delete(`mount ${id}`);
        return Promise.resolve();
      },
    },
    volumes: {
      mount: (_, id, volumes) => {
        for (const { subPath } of volumes) things.add(`volume ${id} ${subPath}`);
        return Promise.resolve(volumes.map(({ subPath }) => `/volumes/${subPath}`));
      },
      remove: (id) => {
        for (const thing of things) if (thing.startsWith(`volume ${id}`)) things.delete(thing);
        return Promise.resolve();
      },
    },
    runtime: {
      create: (_, { id }) => {
        things.add(`container ${id}`);
        return Promise.resolve({ process, shim });
      },
      delete: (_, { id }) => {
        things.delete(`container ${id}`);
        return Promise.resolve();
      },
    },
    cgroups: {
      killAll: () => Promise.resolve(),
      remove: () => Promise.resolve(),
      delegate: () => Promise.resolve(),
    },
  };
  return { node, things };
}

const openStore = (db: Database) =>
  RecordStore.load<ContainerId, Container>(db, { kind: 'container', codec: containerCodec, log: silentLog });

async function temporary(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-create-'));
  dirs.push(dir);
  return dir;
}

operationSuite('createContainer()', 4, () => {
  let world: ReturnType<typeof makeNode> | undefined;
  return async (dir) => {
    const runDir = join(dir, 'run');
    const { node, things } = (world ??= makeNode(runDir));
    const db = await Database.open(join(dir, 'db'));
    const store = await openStore(db);
    const deps: CreateDeps = { ...node, store, locks: new KeyedLock() };
    return {
      operation: createOperation(deps, c1, plan),
      remains: async () => [
        ...things,
        ...(await readdir(join(runDir, 'containers')).catch(() => [])),
        ...store.list().map(({ state }) => state.phase),
      ],
      [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
    };
  };
});

async function created() {
  const dir = await temporary();
  const world = makeNode(join(dir, 'run'));
  const db = await Database.open(join(dir, 'db'));
  const deps: CreateDeps = { ...world.node, store: await openStore(db), locks: new KeyedLock() };
  await createContainer(deps, testCall, c1, plan);
  return { ...world, deps, db };
}

test('createContainer() ends with the pids and the user on disk', async () => {
  const { db, deps } = await created();
  await using _db = db;
  const again = await openStore(db);
  expect(again.get(c1.id)).toEqual({
    ...c1,
    user: { uid: 0, gid: 0, supplementalGroups: [0] },
    state: { phase: 'created', process, shim },
  });
  expect(deps.locks.size).toBe(0);
});

test('createContainer() tells the plan where the images are mounted, in the order of the mounts', async () => {
  const dir = await temporary();
  const { node } = makeNode(join(dir, 'run'));
  await using db = await Database.open(join(dir, 'db'));
  const deps: CreateDeps = { ...node, store: await openStore(db), locks: new KeyedLock() };
  const told: Mounted[] = [];
  const writeBundle: Plan['writeBundle'] = (call, mounted) => {
    told.push(mounted);
    return plan.writeBundle(call, mounted);
  };
  await createContainer(deps, testCall, c1, { ...plan, writeBundle });
  expect(told).toEqual([{ rootfs: `/rootfs/${c1.id}`, imageVolumes: ['/volumes/sub'] }]);
});

test('removeContainer() takes everything away, and may be repeated', async () => {
  const { db, deps, things } = await created();
  await using _db = db;
  await removeContainer(deps, testCall, c1.id);
  await removeContainer(deps, testCall, c1.id);
  expect({ things: [...things], records: deps.store.find(c1.id) }).toEqual({
    things: [],
    records: undefined,
  });
});

test('removeContainer() refuses one that runs', async () => {
  const { db, deps } = await created();
  await using _db = db;
  const running = { ...c1, state: { phase: 'running', process, shim, startedAtNs: 1n } as const };
  await deps.store.put(running);
  await expect(removeContainer(deps, testCall, c1.id)).rejects.toMatchObject({ code: 'failed_precondition' });
  expect(deps.store.get(c1.id)).toEqual(running);
});
