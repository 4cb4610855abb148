// The database is damaged or gone: the daemon starts, and what is on the node is what it was.

import { existsSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContainerState, NamespaceMode, PodSandboxState } from '../../api/cri/generated/types.ts';
import { Database } from '../../pkg/store/database.ts';
import { FORMAT } from '../../pkg/store/format.ts';
import { removeCgroups } from './harness/cgroups.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const database = () => join(node.place.root, 'db');

/** @param known leaves out others: what was removed may come back from a damaged database, as ended */
async function everything(known?: readonly { id: string }[]) {
  const { containers } = await node.client.listContainers();
  const { items } = await node.client.listPodSandbox();
  const { images } = await node.client.listImages();
  return [containers, items, images].map((list: readonly { id: string }[]) => sorted(list, known));
}

function sorted<T extends { id: string }>(list: readonly T[], known: readonly { id: string }[] = list): T[] {
  const ids = new Set(known.map(({ id }) => id));
  return list.filter(({ id }) => ids.has(id)).sort((a, b) => a.id.localeCompare(b.id));
}

const findings = async (repair = false) =>
  (await node.davit.examine({ repair })).findings.filter(({ kind }) => kind !== 'host');

function damageFiles(damage: (path: string) => void): void {
  for (const entry of readdirSync(database(), { withFileTypes: true }))
    if (entry.isFile() && entry.name !== 'reserve') damage(join(database(), entry.name));
}

for (const [what, damage] of [
  [
    'deleted',
    () => {
      rmSync(database(), { recursive: true });
    },
  ],
  [
    'cut in half',
    () => {
      damageFiles((path) => {
        truncateSync(path, Math.floor(statSync(path).size / 2));
      });
    },
  ],
  [
    'overwritten',
    () => {
      damageFiles((path) => {
        writeFileSync(path, 'not a database\n');
      });
    },
  ],
] as const) {
  test(`a database that is ${what} costs no pod, no container and no image`, async () => {
    const pod = await TestPod.run(node);
    const running = await pod.start();
    const [created, ended] = [
      await pod.create({ name: 'created' }),
      await pod.start({ name: 'ended', command: ['sh', '-c', 'exit 7'] }),
    ];
    await ended.waitForExit();
    const [before, ip, { pid }] = [await everything(), await pod.ip(), await running.info()];
    await node.kill9();
    damage();
    await node.start();
    expect(await everything(before.flat())).toEqual(before);
    expect(await running.info()).toMatchObject({ pid });
    expect(await ended.status()).toMatchObject({ exitCode: 7, reason: 'Error' });
    expect(await pod.ip()).toBe(ip);
    expect((await running.exec(['echo', 'alive'])).stdout).toBe('alive\n');
    await created.start();
    await pod.start({ name: 'new' });
    expect(await findings()).toEqual([]);
    await running.stop();
    expect(await running.status()).toMatchObject({ exitCode: 0, reason: 'Completed' });
    for (const name of readdirSync(node.place.root).filter((entry) => entry.startsWith('db.broken-')))
      rmSync(join(node.place.root, name), { recursive: true });
  });
}

test('a record that cannot be read costs nothing, as long as its copy can', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const before = await everything();
  await node.kill9();
  {
    await using db = await Database.open(database());
    await db.commit(db.put('container', container.id, { v: 1 }), db.put('sandbox', pod.id, 'x'));
  }
  await node.start();
  expect(await everything()).toEqual(before);
  expect(await findings()).toEqual([]);
});

test('with a database that has lost the end of its log nothing that runs is taken for half made', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { pid } = await container.info();
  await node.kill9();
  {
    await using db = await Database.open(database());
    for (const [kind, id] of [
      ['container', container.id],
      ['sandbox', pod.id],
    ] as const) {
      const text = (await db.entries(kind)).find(([key]) => key === id)?.[1] ?? '';
      await db.commit(db.put(kind, id, { ...(JSON.parse(text) as object), state: { phase: 'creating' } }));
    }
  }
  await node.start();
  expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_READY);
  expect((await container.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
  expect((await container.info()).pid).toBe(pid);
});

test('a database of a later format is refused, and says which version wrote it', async () => {
  await node.stop();
  const write = async (format: unknown) => {
    await using db = await Database.open(database());
    await db.commit(db.put('database', 'format', format));
  };
  await write({ v: FORMAT + 1, writtenBy: '9.9.9' });
  await expect(node.start()).rejects.toThrow(/davit 9\.9\.9 has written it/);
  rmSync(database(), { recursive: true }); // what an operator does who wants no later version
  await node.start();
  expect((await node.client.listImages()).images).toHaveLength(1);
});

test('if the copies are lost, too, what runs goes on with all its files until it is asked to be ended', async () => {
  const namespaces = { network: NamespaceMode.NODE };
  const pod = await TestPod.run(node, { namespaces });
  const container = await pod.start();
  const { pid } = await container.info();
  await node.kill9();
  for (const path of [database(), join(node.place.root, 'records'), join(node.place.run, 'records')])
    rmSync(path, { recursive: true });
  await node.start();
  expect((await node.client.listContainers()).containers).toEqual([]);
  expect(existsSync(`/proc/${pid}/root/bin/busybox`)).toBe(true);
  expect((await findings()).map(({ kind, subject }) => `${kind} ${subject}`)).toContain(
    `stray_process ${container.id}`,
  );
  await findings(true);
  await eventually('it has ended', () => !existsSync(`/proc/${pid}`));
  await node.restart(); // removes the layers, which nothing stands on any more
  removeCgroups(node.place); // as the kubelet does with those of pods that it does not know
});
