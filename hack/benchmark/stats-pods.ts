// Pods that stand while somebody asks for their usage. More are added for the next measurement.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NamespaceMode, type PodSandboxConfigInit } from '../../api/cri/generated/types.ts';
import { RUN_LABEL, type PodPlan } from './pod.ts';
import type { Target } from './target.ts';

const TIMEOUT_MS = 240_000;
/** So many are made at the same time. */
const WIDTH = 4;

interface StandingPod {
  readonly podSandboxId: string;
  readonly sandboxConfig: PodSandboxConfigInit;
}

export class StandingPods {
  readonly target: Target;
  readonly #plan: PodPlan;
  readonly #maxPods: number;
  readonly #pods: Promise<StandingPod>[] = [];
  #containers = 0;

  constructor(target: Target, plan: PodPlan, maxPods: number) {
    this.target = target;
    this.#plan = plan;
    this.#maxPods = maxPods;
  }

  get pods(): number {
    return this.#pods.length;
  }

  /** Adds containers until there are so many: first a pod for each, then more to each pod. */
  async grow(containers: number): Promise<void> {
    const numbers = Iterator.from({ next: () => this.#nextNumber(containers) });
    const work = async (): Promise<void> => {
      for (const number of numbers) await this.#addContainer(number);
    };
    const results = await Promise.allSettled(Array.from({ length: WIDTH }, work));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  #nextNumber(containers: number): IteratorResult<number, undefined> {
    if (this.#containers >= containers) return { done: true, value: undefined };
    return { done: false, value: this.#containers++ };
  }

  async #addContainer(number: number): Promise<void> {
    const { client, image } = this.target;
    const options = { timeoutMs: TIMEOUT_MS, signal: this.#plan.signal };
    const { podSandboxId, sandboxConfig } = await (this.#pods[number % this.#maxPods] ??=
      this.#addPod(number));
    const config = {
      metadata: { name: `main-${number}`, attempt: 0 },
      image: { image },
      command: ['sleep', '100000'],
      logPath: `main-${number}.log`,
      linux: { securityContext: { namespaceOptions: { pid: NamespaceMode.CONTAINER } } },
    };
    const { containerId } = await client.createContainer({ podSandboxId, config, sandboxConfig }, options);
    await client.startContainer({ containerId }, options);
  }

  async #addPod(number: number): Promise<StandingPod> {
    const { client, handler, group } = this.target;
    const name = `standing-${number}`;
    const logDirectory = join(this.#plan.logDirectory, name);
    await mkdir(logDirectory, { recursive: true }); // as the kubelet does
    const sandboxConfig = {
      metadata: { name, uid: `${this.#plan.run}-${name}`, namespace: 'bench', attempt: 0 },
      hostname: name,
      logDirectory,
      labels: { [RUN_LABEL]: this.#plan.run },
      linux: {
        cgroupParent: group?.podParent,
        securityContext: { namespaceOptions: { pid: NamespaceMode.CONTAINER } },
      },
    };
    const options = { timeoutMs: TIMEOUT_MS, signal: this.#plan.signal };
    const request = { config: sandboxConfig, runtimeHandler: handler };
    const { podSandboxId } = await client.runPodSandbox(request, options);
    return { podSandboxId, sandboxConfig };
  }
}
