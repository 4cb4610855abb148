// What a kubelet asks of a node, again and again: probes, lists, stats, and pods that are replaced.

import { setTimeout as delay } from 'node:timers/promises';
import { Pod, type PodPlan } from './pod.ts';
import type { SoakOptions } from './soak-options.ts';
import type { Target } from './target.ts';

const LIST_INTERVAL_MS = 1000;
const STATS_INTERVAL_MS = 10_000;

/** Messages of calls that failed, without ids, and how often. */
export type Errors = Map<string, number>;

export interface LoadResult {
  readonly probes: number;
  readonly replaced: number;
  readonly probeMs: readonly number[];
  readonly listMs: readonly number[];
  readonly statsMs: readonly number[];
  readonly errors: Errors;
}

export class SoakLoad {
  readonly #target: Target;
  readonly #plan: PodPlan;
  readonly #options: SoakOptions;
  readonly #pods: Pod[] = [];
  readonly #errors: Errors = new Map();
  readonly #took = { probe: [] as number[], list: [] as number[], stats: [] as number[] };
  #made = 0;
  #replaced = 0;

  constructor(target: Target, plan: PodPlan, options: SoakOptions) {
    this.#target = target;
    this.#plan = plan;
    this.#options = options;
  }

  /** Makes the pods that stand, four at a time. */
  async begin(): Promise<void> {
    const make = async (): Promise<void> => {
      while (this.#made < this.#options.pods) this.#pods.push(await this.#startPod());
    };
    await Promise.all([make(), make(), make(), make()]);
  }

  /** Asks until `until`, in milliseconds of `performance.now()`. */
  async run(until: number): Promise<LoadResult> {
    const { width, churnSeconds } = this.#options;
    const probers = Array.from({ length: width }, (_, first) => this.#probe(first, until));
    const churn = churnSeconds > 0 ? [this.#repeat(churnSeconds * 1000, until, () => this.#replace())] : [];
    const ask = [
      this.#repeat(LIST_INTERVAL_MS, until, () => this.#list()),
      this.#repeat(STATS_INTERVAL_MS, until, () => this.#stats()),
    ];
    await Promise.all([...probers, ...churn, ...ask]);
    const { probe: probeMs, list: listMs, stats: statsMs } = this.#took;
    return {
      ...{ probes: probeMs.length, replaced: this.#replaced, probeMs, listMs, statsMs },
      errors: this.#errors,
    };
  }

  async end(): Promise<void> {
    const next = async (): Promise<void> => {
      for (let pod = this.#pods.pop(); pod !== undefined; pod = this.#pods.pop()) await pod.end();
    };
    await Promise.all([next(), next(), next(), next()]);
  }

  #startPod(): Promise<Pod> {
    return Pod.start(this.#target, this.#plan, `soak-${this.#made++}`);
  }

  /** Of every `width`-th pod, one after the other, each at most once in a period. */
  async #probe(first: number, until: number): Promise<void> {
    const { width, probeSeconds } = this.#options;
    while (performance.now() < until) {
      const roundAt = performance.now();
      for (let at = first; at < this.#pods.length && performance.now() < until; at += width) {
        const pod = this.#pods[at];
        if (pod !== undefined) await this.#note('probe', () => this.#exec(pod));
      }
      await delay(Math.max(1, roundAt + probeSeconds * 1000 - performance.now()));
    }
  }

  /** That a pod is replaced under its probe is no failure. */
  async #exec(pod: Pod): Promise<void> {
    try {
      await pod.exec();
    } catch (error) {
      if (this.#pods.includes(pod)) throw error;
    }
  }

  async #repeat(intervalMs: number, until: number, work: () => Promise<void>): Promise<void> {
    while (performance.now() < until) {
      const startedAt = performance.now();
      await work();
      await delay(Math.max(1, startedAt + intervalMs - performance.now()));
    }
  }

  async #list(): Promise<void> {
    const { client } = this.#target;
    const options = { timeoutMs: 60_000 };
    await this.#note('list', async () => {
      await Promise.all([client.listPodSandbox({}, options), client.listContainers({}, options)]);
    });
    await this.#note('list', async () => {
      await client.status({}, options);
    });
  }

  async #stats(): Promise<void> {
    const { client } = this.#target;
    const options = { timeoutMs: 60_000 };
    await this.#note('stats', async () => {
      await client.listPodSandboxStats({}, options);
      await Promise.all([client.imageFsInfo({}, options), client.listImages({}, options)]);
    });
  }

  /** The oldest goes, which nobody probes from then on, and a new one comes. */
  async #replace(): Promise<void> {
    const oldest = this.#pods.shift();
    try {
      await oldest?.end();
      this.#pods.push(await this.#startPod());
      this.#replaced++;
    } catch (error) {
      this.#fail('churn', error);
    }
  }

  async #note(what: 'probe' | 'list' | 'stats', work: () => Promise<void>): Promise<void> {
    const startedAt = performance.now();
    try {
      await work();
      this.#took[what].push(performance.now() - startedAt);
    } catch (error) {
      this.#fail(what, error);
    }
  }

  #fail(what: string, error: unknown): void {
    const message = `${what}: ${String(error).replaceAll(/[0-9a-f]{12,}/g, '…')}`;
    this.#errors.set(message, (this.#errors.get(message) ?? 0) + 1);
  }
}
