// Ends the daemon at a chosen side effect of an operation and starts it again, or makes that side effect fail; then
// the caller asks again, as a kubelet does. Afterwards the operation must have succeeded once, nothing may be left of
// the first try, and a pod that had nothing to do with it must not have noticed.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ContainerState } from '../../../../api/cri/generated/types.ts';
import { removePodCgroups } from '../cgroups.ts';
import { eventually } from '../eventually.ts';
import { Kubelet, type KubeletContainer } from '../kubelet.ts';
import { findLeaks } from '../leaks.ts';
import { TESTS_OWN } from '../node-processes.ts';
import { type TestNode, type NodeOptions } from '../node.ts';
import type { Place } from '../place.ts';
import type { Refusal } from '../refusal.ts';
import { expectClear, refusalIfAny } from './clear-refusal.ts';
import { FAULT_DIR, planFile, traceFile, type Errno, type FaultAt, type Plan, type Point } from './plan.ts';

/** One call of the CRI, and what must hold after it. */
export interface Scenario<Prepared> {
  readonly name: string;
  /** What must be there before. */
  prepare(kubelet: Kubelet): Promise<Prepared>;
  /** The call, asked again when the daemon is away. */
  act(kubelet: Kubelet, prepared: Prepared): Promise<unknown>;
  /** Throws if the call has not done what it should, or has done it twice. */
  verify(kubelet: Kubelet, prepared: Prepared): Promise<void>;
  /** Whether the call has failed for good, as the CRI has it: then it is not made again. */
  isFinal?(kubelet: Kubelet, prepared: Prepared): Promise<boolean>;
  /** Takes away what `prepare` and `act` have made. */
  cleanUp(kubelet: Kubelet, prepared: Prepared): Promise<void>;
}

export interface Failed {
  readonly wasReached: boolean;
  /** Absent if the call succeeded all the same. */
  readonly refusal?: Refusal;
  readonly neededDoctor: boolean;
}

/** What a call leaves behind that has failed goes at once, or not by itself. */
const LEAK_PATIENCE_MS = 3_000;

/** A thread that cannot come back from the namespaces of a pod must not go on. */
const MAY_END_THE_DAEMON = ['setns'];

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

/** What goes on after the answer may have come to its point just before it was disarmed. */
const SETTLE_MS = 50;

export class FaultHarness {
  readonly #node: TestNode;
  readonly #kubelet: Kubelet;
  readonly #bystander: KubeletContainer & { readonly podId: string };
  /** What the bystander has on the node, and what earlier failures have left. */
  readonly #known: Set<string>;

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

  static async open(node: TestNode): Promise<FaultHarness> {
    const kubelet = new Kubelet(node);
    const pod = await kubelet.runPod();
    return new FaultHarness(node, kubelet, {
      podId: pod.id,
      ...(await kubelet.start(pod, { command: ['sleep', '1000000'] })),
    });
  }

  /** Every point that the operation reaches, in their order: where it changes something, or where it can fail. */
  async record<Prepared>(scenario: Scenario<Prepared>, { forFailures = false } = {}): Promise<Point[]> {
    const prepared = await scenario.prepare(this.#kubelet);
    this.#arm({ isForFailures: forFailures });
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
    this.#arm({ isForFailures: false, faultAt: point });
    const acting = scenario.act(this.#kubelet, prepared);
    await Promise.race([acting, this.#node.daemon.ended()]);
    this.#disarm();
    await delay(SETTLE_MS);
    const hasDied = await this.#hasEnded();
    if (hasDied) await this.#node.startAgain();
    await acting;
    await scenario.verify(this.#kubelet, prepared);
    await this.#expectBystander();
    await scenario.cleanUp(this.#kubelet, prepared);
    await this.#expectNothingNew();
    return hasDied;
  }

  /** @returns what the call answered if it failed, and whether it came to that point */
  async failAt<Prepared>(scenario: Scenario<Prepared>, point: Point, errno: Errno): Promise<Failed> {
    const prepared = await scenario.prepare(this.#kubelet);
    const times = point.effect.startsWith('commit ') ? 2 : 1; // the database tries once more by itself
    const faultAt: FaultAt = { ...point, errno, times };
    this.#arm({ isForFailures: true, faultAt });
    const refusal = await refusalIfAny(scenario.act(new Kubelet(this.#node, { asksAgain: false }), prepared));
    const wasReached = this.#disarm().some(({ moment }) => moment === 'failed');
    if (await this.#hasEnded()) await this.#startAgainAfter(point);
    else if (refusal !== undefined) expectClear(refusal);
    await this.#finish(scenario, prepared, refusal !== undefined);
    await this.#expectBystander();
    await scenario.cleanUp(this.#kubelet, prepared);
    const neededDoctor = await this.#expectNothingNewAfterDoctor();
    return { wasReached, neededDoctor, ...(refusal !== undefined && { refusal }) };
  }

  /** The call is made again if it was refused, unless it has failed for good. */
  async #finish<Prepared>(
    scenario: Scenario<Prepared>,
    prepared: Prepared,
    wasRefused: boolean,
  ): Promise<void> {
    if (wasRefused && (await scenario.isFinal?.(this.#kubelet, prepared)) === true) return;
    if (wasRefused) await scenario.act(this.#kubelet, prepared);
    await scenario.verify(this.#kubelet, prepared);
  }

  async #startAgainAfter({ effect }: Point): Promise<void> {
    if (!MAY_END_THE_DAEMON.includes(effect)) throw new Error('the daemon has ended');
    await this.#node.startAgain();
  }

  /** After a failure: takes away whatever pods are left, for the next call to begin anew. What stays is told once. */
  async reset(): Promise<void> {
    rmSync(planFile(this.#dir), { force: true });
    if (await this.#hasEnded()) await this.#node.startAgain();
    const { items } = await this.#kubelet.ask((client) => client.listPodSandbox());
    for (const { id } of items.filter((pod) => pod.id !== this.#bystander.podId))
      await this.#kubelet.removePod(id);
    for (const leak of this.#found()) this.#known.add(leak);
  }

  /** Whoever does not answer is waited for: a process that aborts takes its time. */
  async #hasEnded(): Promise<boolean> {
    try {
      await this.#node.client.version();
      return false;
    } catch {
      await this.#node.daemon.ended();
      return true;
    }
  }

  #arm(what: Omit<Plan, 'dirs'>): void {
    const { dir: place, root, run, logDir, cgroupParent } = this.#node.place;
    const plan: Plan = { dirs: { root, run, logDir, cgroupParent, place }, ...what };
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

  /** What could not be undone at the time is found by the doctor when it looks next. @returns whether it was needed */
  async #expectNothingNewAfterDoctor(): Promise<boolean> {
    try {
      await this.#expectNothingNew(LEAK_PATIENCE_MS);
      return false;
    } catch {
      await this.#node.davit.examine({ repair: true });
      await this.#expectNothingNew();
      return true;
    }
  }

  async #expectNothingNew(timeoutMs = 30_000): Promise<void> {
    let left: string[] = [];
    try {
      await eventually(
        'nothing is left',
        () => {
          removePodCgroups(this.#node.place); // they are the kubelet's
          left = this.#found().filter((leak) => !this.#known.has(leak));
          return left.length === 0;
        },
        timeoutMs,
      );
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
