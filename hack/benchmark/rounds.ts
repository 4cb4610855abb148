// The parts of a measurement: pods one after the other, pods at the same time, pods that stand. Two runtimes
// take turns, and each goes first as often as the other, so that what else the machine does hits both.

import { daemonCpuMs, machineCpuMs, ownCpuMs } from './cpu.ts';
import { podMemory, pssKib, type PodMemory } from './memory.ts';
import { Pod, type PodPlan, type Took } from './pod.ts';
import type { Target } from './target.ts';

/** One pod of the sequential part. */
export interface PodSample {
  readonly took: readonly Took[];
  /** Over the whole life of the pod. */
  readonly machineCpuMs: number;
  readonly daemonCpuMs: number | undefined;
  readonly groupCpuMs: number | undefined;
}

/** One batch of the wide part. */
export interface BatchSample {
  /** For each pod: Run, Create and Start. */
  readonly readyMs: readonly number[];
  /** From the first call until the last pod was ready. */
  readonly allReadyMs: number;
  readonly allRemovedMs: number;
  /** Until the last pod was ready. */
  readonly groupCpuMs: number | undefined;
  readonly machineCpuMs: number;
}

export interface MemorySample {
  readonly daemonBeforeKib: number | undefined;
  readonly daemonWithPodsKib: number | undefined;
  readonly pods: number;
  readonly perPod: PodMemory;
}

/** How many pods each runtime makes before anything counts: caches and lazily loaded code. */
const WARM_UP = 2;

export async function sequential(
  targets: readonly Target[],
  plan: PodPlan,
  pods: number,
): Promise<PodSample[][]> {
  for (const target of targets) for (let i = 0; i < WARM_UP; i++) await onePod(target, plan, `warm-${i}`);
  return await inTurns(targets, pods, (target, i) => onePod(target, plan, `one-${i}`));
}

export async function wide(
  targets: readonly Target[],
  plan: PodPlan,
  { width, batches }: { readonly width: number; readonly batches: number },
): Promise<BatchSample[][]> {
  return await inTurns(targets, batches, (target, i) => oneBatch(target, plan, { width, name: `wide-${i}` }));
}

/** Not in turns: what the one holds would be memory pressure on the other. */
export async function standing(
  targets: readonly Target[],
  plan: PodPlan,
  pods: number,
): Promise<MemorySample[]> {
  const samples: MemorySample[] = [];
  for (const target of targets) samples.push(await memoryOf(target, plan, pods));
  return samples;
}

/** @returns for each target its samples */
async function inTurns<T>(
  targets: readonly Target[],
  rounds: number,
  sample: (target: Target, round: number) => Promise<T>,
): Promise<T[][]> {
  const samples = targets.map((): T[] => []);
  for (let round = 0; round < rounds; round++) {
    const order = [...targets.entries()];
    if (round % 2 === 1) order.reverse();
    for (const [index, target] of order) samples[index]?.push(await sample(target, round));
  }
  return samples;
}

async function onePod(target: Target, plan: PodPlan, name: string): Promise<PodSample> {
  const before = cpuNow(target);
  const pod = await Pod.start(target, plan, name);
  await pod.exec();
  await pod.end();
  return { took: pod.took, ...cpuSince(target, before) };
}

async function oneBatch(
  target: Target,
  plan: PodPlan,
  { width, name }: { readonly width: number; readonly name: string },
): Promise<BatchSample> {
  const before = cpuNow(target);
  const startedAt = performance.now();
  const pods = await settleAll(
    Array.from({ length: width }, (_, i) => Pod.start(target, plan, `${name}-${i}`)),
  );
  const readyAt = performance.now();
  const cpu = cpuSince(target, before);
  await settleAll(pods.map((pod) => pod.end()));
  return {
    readyMs: pods.map((pod) => readyMs(pod.took)),
    allReadyMs: readyAt - startedAt,
    allRemovedMs: performance.now() - readyAt,
    groupCpuMs: cpu.groupCpuMs,
    machineCpuMs: cpu.machineCpuMs,
  };
}

async function memoryOf(target: Target, plan: PodPlan, count: number): Promise<MemorySample> {
  const { daemonPid } = target;
  const daemonBeforeKib = daemonPid === undefined ? undefined : await pssKib(daemonPid);
  const pods: Pod[] = [];
  for (let i = 0; i < count; i++) pods.push(await Pod.start(target, plan, `hold-${i}`));
  const perPod = await podMemory({
    sandboxes: pods.map((pod) => pod.sandboxId),
    containers: pods.map((pod) => pod.containerId),
  });
  const daemonWithPodsKib = daemonPid === undefined ? undefined : await pssKib(daemonPid);
  await settleAll(pods.map((pod) => pod.end()));
  return { daemonBeforeKib, daemonWithPodsKib, pods: count, perPod };
}

/** What a pod took until it was ready, in the eyes of the kubelet. */
export function readyMs(took: readonly Took[]): number {
  return took.slice(0, 3).reduce((total, { wallMs }) => total + wallMs, 0);
}

interface Cpu {
  readonly machineCpuMs: number;
  readonly daemonCpuMs: number | undefined;
  readonly groupCpuMs: number | undefined;
}

/** The CPU time of this program is taken off the machine's: it is no part of the runtime. */
function cpuNow({ daemonPid, group }: Target): Cpu {
  return {
    machineCpuMs: machineCpuMs() - ownCpuMs(),
    daemonCpuMs: daemonPid === undefined ? undefined : daemonCpuMs(daemonPid),
    groupCpuMs: group?.usedMs(),
  };
}

function cpuSince(target: Target, before: Cpu): Cpu {
  const now = cpuNow(target);
  const less = (a: number | undefined, b: number | undefined): number | undefined =>
    a === undefined || b === undefined ? undefined : a - b;
  return {
    machineCpuMs: now.machineCpuMs - before.machineCpuMs,
    daemonCpuMs: less(now.daemonCpuMs, before.daemonCpuMs),
    groupCpuMs: less(now.groupCpuMs, before.groupCpuMs),
  };
}

/** Waits for all, also when one fails: nothing may go on while the rest is cleaned up. */
async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
