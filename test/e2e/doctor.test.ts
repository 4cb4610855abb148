// What is wrong on the node is found, said, and repaired where that is safe or asked for.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PodSandboxState } from '../../api/cri/generated/types.ts';
import { Database } from '../../pkg/store/database.ts';
import { mountTmpfs, unmount } from '../../pkg/sys/mount.ts';
import { identifyNow } from '../../pkg/sys/process-identity.ts';
import { signal } from '../../pkg/sys/process.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** What is found, but for what concerns this machine. */
async function examine(repair = false) {
  const { findings } = await node.davit.examine({ repair });
  return findings.filter(({ kind }) => kind !== 'host');
}

const newId = (): string => randomBytes(32).toString('hex');

test('of a node with a pod that is well there is nothing to say', async () => {
  const pod = await TestPod.run(node);
  await pod.start();
  await pod.create({ name: 'created' });
  expect(await examine()).toEqual([]);
});

test('what nobody knows and nothing runs in is told of, and removed at the next start', async () => {
  const id = newId();
  const { root, run } = node.place;
  const bundle = join(run, 'containers', id);
  mkdirSync(join(bundle, 'rootfs'), { recursive: true });
  writeFileSync(join(bundle, 'config.json'), '{}');
  mountTmpfs(join(bundle, 'rootfs'), { mode: 0o755 });
  mkdirSync(join(root, 'snapshots', id, 'fs'), { recursive: true });
  writeFileSync(join(run, 'exits', id), '0');
  const [found] = await examine();
  expect(found).toMatchObject({ kind: 'stray_files', subject: id, canRepair: true, repaired: false });
  for (const path of [bundle, join(root, 'snapshots', id), join(run, 'exits', id)])
    expect(found?.problem).toContain(path);
  await node.restart();
  await eventually('it is removed', async () => (await examine()).length === 0);
  expect(existsSync(bundle)).toBe(false);
});

test('what nobody knows and runs is left alone until it is asked to be ended', async () => {
  const id = newId();
  const bundle = join(node.place.run, 'containers', id);
  mkdirSync(bundle, { recursive: true });
  const child = spawn('/bin/sh', ['-c', 'while :; do sleep 1; done', 'monitor', '--bundle', bundle], {
    stdio: 'ignore',
  });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await eventually('it runs', async () => (await examine())[0]?.kind === 'stray_process');
  const pod = newId(); // perhaps that of the container
  mkdirSync(join(node.place.run, 'sandboxes', pod), { recursive: true });
  await node.restart();
  const found = await examine();
  expect(found.map(({ kind, subject }) => `${kind} ${subject}`).sort()).toEqual(
    [`stray_process ${id}`, `stray_process ${pod}`].sort(),
  );
  expect(child.exitCode).toBeNull();
  expect(await examine(true)).toMatchObject([{ repaired: true }, { repaired: true }]);
  await exited;
  expect(await examine()).toEqual([]);
});

test('a pod whose namespace somebody has taken away is stopped', async () => {
  const pod = await TestPod.run(node);
  unmount(join(node.place.run, 'sandboxes', pod.id, 'ns/ipc'));
  expect(await examine()).toMatchObject([{ kind: 'broken_pod', subject: pod.id }]);
  expect(await examine(true)).toMatchObject([{ repaired: true }]);
  expect((await pod.status()).state).toBe(PodSandboxState.SANDBOX_NOTREADY);
  expect(await examine()).toEqual([]);
});

test('a container without its monitor or its files is told of', async () => {
  const pod = await TestPod.run(node);
  const [unwatched, missing] = [await pod.start(), await pod.start({ name: 'missing' })];
  const monitor = identifyNow((await unwatched.info()).monitorPid)!;
  await signal(monitor, 'SIGKILL');
  rmSync(join(node.place.root, 'snapshots', missing.id), { recursive: true });
  await eventually('both are found', async () => (await examine()).length === 2);
  const found = await examine();
  expect(found.map(({ kind, subject }) => `${kind} ${subject}`).sort()).toEqual(
    [`unwatched ${unwatched.id}`, `missing_files ${missing.id}`].sort(),
  );
  await pod.stop(); // both can be stopped and removed as any other
});

test('a record that cannot be read is told of, what it stands for is left alone, and it can be forgotten', async () => {
  const id = newId();
  const bundle = join(node.place.run, 'containers', id);
  mkdirSync(bundle, { recursive: true });
  await node.stop();
  {
    await using db = await Database.open(join(node.place.root, 'db'));
    await db.commit(db.put('container', id, { v: 99 }));
  }
  await node.start();
  expect(await examine()).toMatchObject([{ kind: 'unreadable_record', subject: `container/${id}` }]);
  expect(existsSync(bundle)).toBe(true);
  await examine(true);
  await eventually('it is gone', async () => (await examine(true)).length === 0);
  expect(existsSync(bundle)).toBe(false);
});
