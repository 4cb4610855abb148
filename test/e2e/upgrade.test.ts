// The daemon finds what another version of it has left: of an earlier one it takes over all that runs, that of a
// later one it leaves alone.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContainerState, PodSandboxState } from '../../api/cri/generated/types.ts';
import { Database } from '../../pkg/store/database.ts';
import { FORMAT } from '../../pkg/store/format.ts';
import { openLevel } from '../../pkg/store/open-level.ts';
import { identifyNow } from '../../pkg/sys/process-identity.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** What the first records of each kind did not have. */
const ADDED = {
  sandbox: ['resources', 'overhead', 'selinux'],
  container: ['stdinOnce', 'resources', 'user', 'options', 'idMapping'],
} as const;

/** As an early daemon would have left it: its records, no format, no copies. */
async function toEarlyVersion(): Promise<void> {
  await using db = await Database.open(join(node.place.root, 'db'));
  for (const kind of ['sandbox', 'container'] as const) {
    const added: readonly string[] = ADDED[kind];
    for (const [key, text] of await db.entries(kind)) {
      const early: unknown = JSON.parse(text, (name, value: unknown) =>
        added.includes(name) ? undefined : value,
      );
      await db.commit(db.put(kind, key, early));
    }
  }
  await db.commit(db.del('database', 'format'));
  rmSync(join(node.place.run, 'records'), { recursive: true });
}

test('what an early version has left running is taken over: asked, entered, stopped, its network given back', async () => {
  const pod = await TestPod.run(node);
  const [running, ended] = [
    await pod.start(),
    await pod.start({ name: 'ended', command: ['sh', '-c', 'exit 7'] }),
  ];
  await ended.waitForExit();
  const [{ pid }, ip] = [await running.info(), await pod.ip()];
  await node.kill9();
  await toEarlyVersion();
  await node.start();
  expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_READY);
  expect(await pod.ip()).toBe(ip);
  expect(await running.info()).toMatchObject({ pid, phase: 'running' });
  expect(await ended.status()).toMatchObject({ exitCode: 7 });
  expect(await running.exec(['echo', 'here'])).toMatchObject({ stdout: 'here\n' });
  await running.stop();
  expect((await running.status()).state).toBe(ContainerState.CONTAINER_EXITED);
});

/** @returns all else that the database holds */
async function setFormat(v: number): Promise<unknown> {
  const key = 'database!format';
  const level = await openLevel(join(node.place.root, 'db'));
  try {
    await level.put(key, JSON.stringify({ v, writtenBy: '9.9.9' }), { sync: true });
    return (await level.iterator().all()).filter(([name]) => name !== key);
  } finally {
    await level.close();
  }
}

test('what a later version has left is refused, naming both; what runs goes on, and that version finds all as it was', async () => {
  const running = await (await TestPod.run(node)).start();
  const { pid } = await running.info();
  const process = identifyNow(pid);
  await node.kill9();
  const before = await setFormat(FORMAT + 1);
  const said = `davit 9\\.9\\.9 has written it in format ${FORMAT + 1}, and davit \\S+ knows format ${FORMAT}`;
  await expect(node.start()).rejects.toThrow(new RegExp(said));
  expect(identifyNow(pid)).toEqual(process);
  expect(await setFormat(FORMAT)).toEqual(before);
  await node.start();
  expect(await running.info()).toMatchObject({ pid, phase: 'running' });
});
