// Containers that make trouble: they restart without end, fork without end, or cannot be killed.
// DAVIT_E2E_RESTARTS says how often one is restarted.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ContainerState } from '../../api/cri/generated/types.ts';
import { hierarchyOf, isCgroupV2 } from './harness/cgroups.ts';
import type { TestContainer } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const RESTARTS = Number(process.env['DAVIT_E2E_RESTARTS'] ?? 15);
const MIB = 1024 * 1024;

/** What may grow with containers that are gone. */
function takes() {
  const { run, root } = node.place;
  return {
    descriptors: readdirSync(`/proc/${node.daemon.pid}/fd`).length,
    directories: [
      ...['containers', 'exits', 'runtime/runc'].map((dir) => join(run, dir)),
      join(root, 'snapshots'),
    ].flatMap((dir) => readdirSync(dir)).length,
  };
}

function residentBytes(): number {
  const status = readFileSync(`/proc/${node.daemon.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** As the kubelet does it: the one before is removed when the next one runs. */
async function restart(pod: TestPod, attempt: number): Promise<void> {
  const container = await pod.start({
    command: ['true'],
    config: { metadata: { name: 'main', attempt }, logPath: `main/${attempt}.log` },
  });
  await container.waitForExit();
  await container.remove();
}

test(
  'a container that is restarted again and again leaves nothing that grows',
  async () => {
    const pod = await TestPod.run(node);
    for (let attempt = 0; attempt < 3; attempt++) await restart(pod, attempt); // what is there once and for all
    const [before, residentBefore] = [takes(), residentBytes()];
    for (let attempt = 3; attempt < RESTARTS; attempt++) await restart(pod, attempt);
    await eventually('descriptors and directories are as before', () => {
      const now = takes();
      return now.descriptors <= before.descriptors && now.directories <= before.directories;
    });
    expect(residentBytes() - residentBefore).toBeLessThan(64 * MIB); // a heap that has not been collected yet
    const sizes = readdirSync(join(node.place.root, 'db'), { withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'reserve')
      .map(({ name }) => readFileSync(join(node.place.root, 'db', name)).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(16 * MIB);
  },
  60_000 + RESTARTS * 2000,
);

function cgroupOf(container: { readonly cgroupPath: string }, controller: string): string {
  return join(hierarchyOf(controller), container.cgroupPath);
}

/** How many processes could not be started for the limit. */
function refusedForks(group: string): number {
  return Number(/^max (\d+)$/m.exec(readFileSync(join(group, 'pids.events'), 'utf8'))?.[1]);
}

test('a fork bomb is held by the limit of its pod: all else goes on, and it is stopped', async () => {
  const [pod, other] = [await TestPod.run(node), await (await TestPod.run(node)).start()];
  const limited = join(hierarchyOf('pids'), pod.config.linux?.cgroupParent ?? '');
  writeFileSync(join(limited, 'pids.max'), '50'); // as the kubelet does
  const bomb = await pod.start({ command: ['sh', '-c', 'b() { b & b & exec sleep 1000; }; b'] });
  const groups = [limited, cgroupOf(await bomb.info(), 'pids')]; // which of them counts depends on the kernel
  await eventually('the limit has been met', () => groups.some((group) => refusedForks(group) > 0));
  expect((await other.exec(['echo', 'well'])).stdout).toBe('well\n');
  expect((await bomb.status()).state).toBe(ContainerState.CONTAINER_RUNNING);
  await bomb.stop(0);
  expect((await bomb.status()).state).toBe(ContainerState.CONTAINER_EXITED);
  await eventually(
    'nothing of it runs',
    () => Number(readFileSync(join(limited, 'pids.current'), 'utf8')) === 0,
  );
});

/** Nothing in it runs any more, not even to die: on version 2 of cgroups it may still be killed. */
async function freeze(container: TestContainer): Promise<Disposable> {
  const group = cgroupOf(await container.info(), 'freezer');
  const [file, frozen, thawed] = isCgroupV2
    ? ['cgroup.freeze', '1', '0']
    : ['freezer.state', 'FROZEN', 'THAWED'];
  const path = join(group, file);
  writeFileSync(path, frozen);
  return {
    [Symbol.dispose]: () => {
      writeFileSync(path, thawed);
    },
  };
}

test('a frozen container is stopped where the kernel can, or told with its pid and what it waits for', async () => {
  const container = await (await TestPod.run(node)).start();
  const { pid } = await container.info();
  const said = isCgroupV2
    ? /^stopped$/
    : RegExp(`DEADLINE_EXCEEDED.* process ${pid} .*cannot be interrupted, in \\w+`);
  {
    using _frozen = await freeze(container);
    const answer = container.stop(0).then(() => 'stopped', String);
    const { containers } = await node.client.listContainers(); // waits for nobody
    expect(containers.map(({ id }) => id)).toEqual([container.id]);
    expect(await answer).toMatch(said);
  }
  await container.stop(0);
  expect((await container.status()).state).toBe(ContainerState.CONTAINER_EXITED);
}, 60_000);
