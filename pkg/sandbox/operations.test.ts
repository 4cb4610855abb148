import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { KeyedLock } from '../async/keyed-lock.ts';
import { operationSuite } from '../async/testing/operation-suite.ts';
import { silentLog, testCall } from '../base/testing/call.ts';
import type { SandboxId } from '../base/id.ts';
import type { NetworkConfigList } from '../network/network-config.ts';
import type { NetworkResult } from '../network/result.ts';
import { Database } from '../store/database.ts';
import { RecordStore } from '../store/record-store.ts';
import { mountsUnder } from '../sys/mountinfo.ts';
import {
  beginStop,
  removeSandbox,
  runOperation,
  runSandbox,
  stopSandbox,
  type SandboxDeps,
} from './operations.ts';
import { sandboxCodec } from './record.ts';
import type { Sandbox } from './sandbox.ts';
import { aSandbox } from './testing/sandbox.ts';

const networkConfig: NetworkConfigList = {
  name: 'net',
  cniVersion: '1.0.0',
  disableCheck: false,
  disableGC: false,
  plugins: [{ type: 'bridge' }],
  file: '/etc/cni/net.d/10-net.conflist',
};

/** A pod with everything: real namespaces and mounts, and a network, cgroup and init in memory. */
const s1: Sandbox = {
  ...aSandbox({ phase: 'creating' }),
  networkConfig,
  config: { ...aSandbox({ phase: 'creating' }).config, network: 'pod', ipc: 'pod', pid: 'pod' },
};

const dirs: string[] = [];
afterAll(async () => {
  for (const dir of dirs) await rm(dir, { recursive: true });
});

const result: NetworkResult = { ips: ['10.1.2.3'], interfaces: [], raw: {}, cniVersion: '1.0.0' };

function makeNode(runDir: string) {
  const things = new Set<string>();
  const toggle = (thing: string) => ({
    on: () => {
      things.add(thing);
      return Promise.resolve();
    },
    off: () => {
      things.delete(thing);
      return Promise.resolve();
    },
  });
  const cgroup = toggle('cgroup');
  const init = toggle('init');
  const network = toggle('network');
  const node: Omit<SandboxDeps, 'store' | 'locks'> = {
    runDir,
    cgroups: { create: cgroup.on, remove: cgroup.off, killAll: () => Promise.resolve() },
    networks: {
      attach: async () => {
        await network.on();
        return result;
      },
      detach: network.off,
    },
    init: { start: init.on, remove: init.off },
  };
  return { node, things };
}

const openStore = (db: Database) =>
  RecordStore.load<SandboxId, Sandbox>(db, { kind: 'sandbox', codec: sandboxCodec, log: silentLog });

async function remains(runDir: string): Promise<string[]> {
  const mounts = await mountsUnder(runDir);
  return [
    ...mounts.map(({ target }) => target),
    ...(await readdir(join(runDir, 'sandboxes')).catch(() => [])),
  ];
}

operationSuite('runSandbox()', 6, () => {
  let world: ReturnType<typeof makeNode> | undefined;
  return async (dir) => {
    const runDir = join(dir, 'run');
    const { node, things } = (world ??= makeNode(runDir));
    const db = await Database.open(join(dir, 'db'));
    const store = await openStore(db);
    const deps: SandboxDeps = { ...node, store, locks: new KeyedLock() };
    return {
      operation: runOperation(deps, s1),
      remains: async () => [
        ...things,
        ...(await remains(runDir)),
        ...store.list().map(({ state }) => state.phase),
      ],
      [Symbol.asyncDispose]: () => db[Symbol.asyncDispose](),
    };
  };
});

async function ready() {
  const dir = await mkdtemp(join(tmpdir(), 'davit-test-sandbox-'));
  dirs.push(dir);
  const runDir = join(dir, 'run');
  const world = makeNode(runDir);
  const db = await Database.open(join(dir, 'db'));
  const deps: SandboxDeps = { ...world.node, store: await openStore(db), locks: new KeyedLock() };
  const sandbox = await runSandbox(deps, testCall, s1);
  return { ...world, deps, db, sandbox, runDir };
}

test('runSandbox() ends with what the network answered on disk', async () => {
  const { db, deps, sandbox } = await ready();
  await using _db = db;
  expect(sandbox).toMatchObject({ state: { phase: 'ready' }, network: { ips: ['10.1.2.3'] } });
  expect((await openStore(db)).get(s1.id)).toEqual(sandbox);
  await removeAll(deps);
});

test('stopSandbox() takes everything off the node but keeps the record; removeSandbox() forgets it', async () => {
  const { db, deps, things, runDir } = await ready();
  await using _db = db;
  expect(await beginStop(deps, testCall, s1.id)).toBe(true);
  await stopSandbox(deps, testCall, s1.id);
  await stopSandbox(deps, testCall, s1.id);
  expect({ things: [...things], left: await remains(runDir) }).toEqual({ things: [], left: [] });
  expect(deps.store.get(s1.id).state).toEqual({ phase: 'stopped' });
  await removeSandbox(deps, testCall, s1.id);
  await removeSandbox(deps, testCall, s1.id);
  expect(deps.store.find(s1.id)).toBeUndefined();
});

test('removeSandbox() refuses one that is ready', async () => {
  const { db, deps } = await ready();
  await using _db = db;
  await expect(removeSandbox(deps, testCall, s1.id)).rejects.toMatchObject({ code: 'failed_precondition' });
  await removeAll(deps);
});

async function removeAll(deps: SandboxDeps): Promise<void> {
  await stopSandbox(deps, testCall, s1.id);
  await removeSandbox(deps, testCall, s1.id);
}
