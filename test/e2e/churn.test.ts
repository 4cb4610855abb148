// Pods come and go while the daemon is killed at random moments: nothing is lost, and nothing is left.
// DAVIT_E2E_SEED makes another run (a number, or `random`); DAVIT_E2E_CHURN_SECONDS makes it longer.

import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ContainerState } from '../../api/cri/generated/types.ts';
import { eventually } from './harness/eventually.ts';
import { Kubelet, numbersIn, type KubeletContainer } from './harness/kubelet.ts';
import { TestPod } from './harness/pod.ts';
import { Random, seedOf } from './harness/random.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const SECONDS = Number(process.env['DAVIT_E2E_CHURN_SECONDS'] ?? 25);
const WORKERS = 3;
const PODS_PER_WORKER = 3;

/** Counts for ever: a gap or a restart would be seen. */
const COUNT = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo line $i; usleep 20000; done'];

interface Kept {
  readonly podId: string;
  readonly container: KubeletContainer;
  /** Absent for one that counts for ever. */
  readonly exitCode: number | undefined;
}

/** Runs pods, keeps the newest, and removes the others. @returns what must still be there at the end */
async function work(kubelet: Kubelet, random: Random, until: number): Promise<Kept[]> {
  const kept: Kept[] = [];
  while (Date.now() < until) {
    kept.push(await startOne(kubelet, random));
    const newest = kept.at(-1)!;
    if (newest.exitCode === undefined && random.chance(0.3)) await kubelet.exec(newest.container.id);
    if (random.chance(0.2)) await removeOne(kubelet, random, kept.pop()!);
    if (kept.length > PODS_PER_WORKER) await removeOne(kubelet, random, kept.shift()!);
  }
  return kept;
}

async function startOne(kubelet: Kubelet, random: Random): Promise<Kept> {
  const pod = await kubelet.runPod();
  const exitCode = random.chance(0.4) ? random.integer(1, 100) : undefined;
  const ends = ['sh', '-c', `usleep ${random.integer(1, 500) * 1000}; exit ${exitCode ?? 0}`];
  const container = await kubelet.start(pod, { command: exitCode === undefined ? COUNT : ends });
  return { podId: pod.id, container, exitCode };
}

async function removeOne(kubelet: Kubelet, random: Random, { podId, container }: Kept): Promise<void> {
  if (random.chance(0.5)) await kubelet.removeContainer(container.id);
  await kubelet.removePod(podId);
}

/** @returns how often */
async function killAgainAndAgain(random: Random, until: number): Promise<number> {
  for (let kills = 0; ; kills++) {
    await delay(random.integer(20, 800));
    if (Date.now() > until) return kills;
    await node.kill9();
    await node.start();
  }
}

async function expectStillThere(kubelet: Kubelet, { container, exitCode }: Kept): Promise<void> {
  const { id, pid, logPath } = container;
  if (exitCode !== undefined) {
    await eventually(`container "${id}" ends`, async () => (await kubelet.status(id)).finishedAt > 0n);
    expect(await kubelet.status(id)).toMatchObject({ state: ContainerState.CONTAINER_EXITED, exitCode });
    return;
  }
  expect(await kubelet.status(id)).toMatchObject({ state: ContainerState.CONTAINER_RUNNING });
  expect(await kubelet.pidOf(id)).toBe(pid);
  const numbers = numbersIn(logPath);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
}

test(
  'a daemon that is killed at random moments loses no container and leaves nothing behind',
  async () => {
    const seed = seedOf('DAVIT_E2E_SEED');
    const kubelet = new Kubelet(node);
    const until = Date.now() + SECONDS * 1000;
    const workers = Array.from({ length: WORKERS }, (_, index) =>
      work(kubelet, new Random(seed + index), until),
    );
    const killing = killAgainAndAgain(new Random(seed + WORKERS), until);
    const results = await Promise.allSettled([...workers, killing]);
    process.stdout.write(`churn: seed ${seed}, ${String(await killing)} kills\n`);
    expect(
      results.filter(({ status }) => status === 'rejected'),
      `with seed ${seed}`,
    ).toEqual([]);
    const kept = (await Promise.all(workers)).flat();
    const { items } = await node.client.listPodSandbox();
    expect(items.map(({ id }) => id).sort()).toEqual(kept.map(({ podId }) => podId).sort());
    for (const one of kept) await expectStillThere(kubelet, one);
  },
  SECONDS * 1000 + 120_000,
);

test('a daemon keeps no descriptor of pods that are gone', async () => {
  const open = (): number => readdirSync(`/proc/${node.daemon.pid}/fd`).length;
  const live = async (): Promise<void> => {
    const pod = await TestPod.run(node);
    await (await pod.start()).exec(['true']);
    await pod.remove();
  };
  await live(); // what is opened once and for all
  const before = open();
  for (let round = 0; round < 5; round++) await live();
  await eventually('as many descriptors are open as before', () => open() <= before);
});
