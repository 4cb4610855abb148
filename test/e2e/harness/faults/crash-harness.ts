// Ends the daemon at a chosen side effect of an operation, starts it again, and has the caller ask again, as a
// kubelet does. Afterwards the operation must have succeeded once, nothing may be left of the first try, and a pod
// that had nothing to do with it must not have noticed.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContainerState } from '../../../../api/cri/generated/types.ts';
import { removePodCgroups } from '../cgroups.ts';
import { eventually } from '../eventually.ts';
import { Kubelet, type KubeletContainer } from '../kubelet.ts';
import { findLeaks } from '../leaks.ts';
import { TESTS_OWN } from '../node-processes.ts';
import { type TestNode, type NodeOptions } from '../node.ts';
import type { Place } from '../place.ts';
import { FAULT_DIR, planFile, traceFile, type Plan, type Point } from './plan.ts';

/** One call of the CRI, and what must hold after it. */
export interface Scenario<Prepared> {
  readonly name: string;
  /** What must be there before. */
  prepare(kubelet: Kubelet): Promise<Prepared>;
  /** The call, asked again when the daemon is away. */
  act(kubelet: Kubelet, prepared: Prepared): Promise<unknown>;
  /** Throws if the call has not done what it should, or has done it twice. */
  verify(kubelet: Kubelet, prepared: Prepared): Promise<void>;
  /** Takes away what `prepare` and `act` have made. */
  cleanUp(kubelet: Kubelet, prepared: Prepared): Promise<void>;
}

const HOOKS = join(import.meta.dirname, 'hooks.ts');

/** For a node whose daemon tells of its side effects. */
export const withFaultHooks: NodeOptions = {
  env: (place) => {
    mkdirSync(faultDir(place), { recursive: true });
    return {
      [FAULT_DIR]: faultDir(place),
      NODE_OPTIONS: `--import=${HOOKS} --disable-warning=ExperimentalWarning`,
    };
  },
};

function faultDir(place: Place): string {
  return join(place.dir, TESTS_OWN, 'faults');
}

export class CrashHarness {
  readonly #node: TestNode;
  readonly #kubelet: Kubelet;
  readonly #bystander: KubeletContainer & { readonly podId: string };
  /** What the bystander has on the node. */
  readonly #known: ReadonlySet<string>;

  private constructor(
    node: TestNode,
    kubelet: Kubelet,
    bystander: KubeletContainer & { readonly podId: string },
  ) {
    this.#node = node;
    this.#kubelet = kubelet;
    this.#bystander = bystander;
    this.#known = new Set(this.#found());
  }

  static async open(node: TestNode): Promise<CrashHarness> {
    const kubelet = new Kubelet(node);
    const pod = await kubelet.runPod();
    return new CrashHarness(node, kubelet, {
      podId: pod.id,
      ...(await kubelet.start(pod, { command: ['sleep', '1000000'] })),
    });
  }

  /** Every point that the operation reaches, in their order. */
  async record<Prepared>(scenario: Scenario<Prepared>): Promise<Point[]> {
    const prepared = await scenario.prepare(this.#kubelet);
    this.#arm();
    await scenario.act(this.#kubelet, prepared);
    const trace = this.#disarm();
    await scenario.verify(this.#kubelet, prepared);
    await scenario.cleanUp(this.#kubelet, prepared);
    await this.#expectNothingNew();
    return trace;
  }

  /** @returns whether the daemon came to that point and died there */
  async dieAt<Prepared>(scenario: Scenario<Prepared>, point: Point): Promise<boolean> {
    const prepared = await scenario.prepare(this.#kubelet);
    this.#arm(point);
    const acting = scenario.act(this.#kubelet, prepared);
    await Promise.race([acting, this.#node.daemon.ended()]);
    const hasDied = !this.#node.daemon.isRunning;
    this.#disarm();
    if (hasDied) await this.#node.startAgain();
    await acting;
    await scenario.verify(this.#kubelet, prepared);
    await this.#expectBystander();
    await scenario.cleanUp(this.#kubelet, prepared);
    await this.#expectNothingNew();
    return hasDied;
  }

  /** After a failure: takes away whatever pods are left, for the next call to begin anew. */
  async reset(): Promise<void> {
    rmSync(planFile(this.#dir), { force: true });
    if (!this.#node.daemon.isRunning) await this.#node.startAgain();
    const { items } = await this.#kubelet.ask((client) => client.listPodSandbox());
    for (const { id } of items.filter((pod) => pod.id !== this.#bystander.podId))
      await this.#kubelet.removePod(id);
  }

  #arm(dieAt?: Point): void {
    const { dir: place, root, run, logDir, cgroupParent } = this.#node.place;
    const plan: Plan = { dirs: { root, run, logDir, cgroupParent, place }, ...(dieAt && { dieAt }) };
    rmSync(traceFile(this.#dir), { force: true });
    writeFileSync(planFile(this.#dir), JSON.stringify(plan));
  }

  #disarm(): Point[] {
    rmSync(planFile(this.#dir));
    if (!existsSync(traceFile(this.#dir))) return [];
    const lines = readFileSync(traceFile(this.#dir), 'utf8').trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as Point);
  }

  get #dir(): string {
    return faultDir(this.#node.place);
  }

  /** It runs as the process that it was: neither lost nor started anew. */
  async #expectBystander(): Promise<void> {
    const { id, pid } = this.#bystander;
    const { state } = await this.#kubelet.status(id);
    const now = await this.#kubelet.pidOf(id);
    if (state !== ContainerState.CONTAINER_RUNNING || now !== pid)
      throw new Error(`a container that had nothing to do with it is in state ${state} with pid ${now}`);
  }

  async #expectNothingNew(): Promise<void> {
    let left: string[] = [];
    try {
      await eventually('nothing is left', () => {
        removePodCgroups(this.#node.place); // they are the kubelet's
        left = this.#found().filter((leak) => !this.#known.has(leak));
        return left.length === 0;
      });
    } catch {
      throw new Error(`left behind:\n${left.join('\n')}`);
    }
  }

  #found(): string[] {
    const leaks = findLeaks(this.#node.place, {
      daemonPid: this.#node.daemon.pid,
      files: this.#node.files,
    });
    return leaks.map((leak) => leak.replace(/ \([A-Z]\) /, ' ')); // whether a process sleeps does not matter
  }
}
