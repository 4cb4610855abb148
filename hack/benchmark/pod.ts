// The life of one pod with one container, each call with its wall and CPU time.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NamespaceMode, type PodSandboxConfigInit } from '../../api/cri/generated/types.ts';
import type { Target } from './target.ts';

export const STEPS = [
  'RunPodSandbox',
  'CreateContainer',
  'StartContainer',
  'ExecSync',
  'StopContainer',
  'RemoveContainer',
  'StopPodSandbox',
  'RemovePodSandbox',
] as const;

export type Step = (typeof STEPS)[number];

export interface Took {
  readonly step: Step;
  readonly wallMs: number;
  /** Of the runtime with everything it started; absent when that is not known. */
  readonly cpuMs: number | undefined;
}

/** What all pods of a run have in common. */
export interface PodPlan {
  /** In the label `davit.bench` of each pod, so that what is left can be found. */
  readonly run: string;
  readonly logDirectory: string;
  readonly signal: AbortSignal;
}

export const RUN_LABEL = 'davit.bench';

/** Ends at once when it is asked to: process 1 of a container ignores signals that it has no handler for. */
const COMMAND = ['sh', '-c', 'trap "exit 0" TERM; sleep 100000 & wait'];
const STOP_SECONDS = 10n;
const TIMEOUT_MS = 240_000;

/** A pod that runs. */
export class Pod {
  readonly sandboxId: string;
  readonly containerId: string;
  readonly #target: Target;
  readonly #plan: PodPlan;
  readonly took: Took[];

  private constructor(
    target: Target,
    plan: PodPlan,
    ids: { sandboxId: string; containerId: string; took: Took[] },
  ) {
    this.#target = target;
    this.#plan = plan;
    this.sandboxId = ids.sandboxId;
    this.containerId = ids.containerId;
    this.took = ids.took;
  }

  /** Run, Create, Start. */
  static async start(target: Target, plan: PodPlan, name: string, command = COMMAND): Promise<Pod> {
    const { client, handler, image } = target;
    const options = { timeoutMs: TIMEOUT_MS, signal: plan.signal };
    const sandboxConfig = sandbox(target, plan, name);
    await mkdir(join(plan.logDirectory, name), { recursive: true }); // as the kubelet does
    const took: Took[] = [];
    const { podSandboxId } = await measure(target, took, 'RunPodSandbox', () =>
      client.runPodSandbox({ config: sandboxConfig, runtimeHandler: handler }, options),
    );
    const config = {
      metadata: { name: 'main', attempt: 0 },
      image: { image },
      command,
      logPath: 'main.log',
      linux: { securityContext: { namespaceOptions: { pid: NamespaceMode.CONTAINER } } },
    };
    const { containerId } = await measure(target, took, 'CreateContainer', () =>
      client.createContainer({ podSandboxId, config, sandboxConfig }, options),
    );
    await measure(target, took, 'StartContainer', () => client.startContainer({ containerId }, options));
    return new Pod(target, plan, { sandboxId: podSandboxId, containerId, took });
  }

  async exec(): Promise<void> {
    const { containerId } = this;
    const { client } = this.#target;
    const request = { containerId, cmd: ['true'], timeout: 30n };
    const { exitCode } = await this.#measure('ExecSync', (options) => client.execSync(request, options));
    if (exitCode !== 0) throw new Error(`"true" ended with ${exitCode} in container "${containerId}"`);
  }

  /** Stops and removes the container, then the pod. */
  async end(): Promise<void> {
    const { containerId, sandboxId: podSandboxId } = this;
    const { client } = this.#target;
    const stop = { containerId, timeout: STOP_SECONDS };
    await this.#measure('StopContainer', (options) => client.stopContainer(stop, options));
    await this.#measure('RemoveContainer', (options) => client.removeContainer({ containerId }, options));
    await this.#measure('StopPodSandbox', (options) => client.stopPodSandbox({ podSandboxId }, options));
    await this.#measure('RemovePodSandbox', (options) => client.removePodSandbox({ podSandboxId }, options));
  }

  #measure<T>(
    step: Step,
    call: (options: { timeoutMs: number; signal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const options = { timeoutMs: TIMEOUT_MS, signal: this.#plan.signal };
    return measure(this.#target, this.took, step, () => call(options));
  }
}

function sandbox(target: Target, plan: PodPlan, name: string): PodSandboxConfigInit {
  return {
    metadata: { name, uid: `${plan.run}-${name}`, namespace: 'bench', attempt: 0 },
    hostname: name,
    logDirectory: join(plan.logDirectory, name),
    labels: { [RUN_LABEL]: plan.run },
    linux: {
      cgroupParent: target.group?.podParent,
      securityContext: { namespaceOptions: { pid: NamespaceMode.CONTAINER } },
    },
  };
}

async function measure<T>(target: Target, took: Took[], step: Step, call: () => Promise<T>): Promise<T> {
  const cpuBefore = target.group?.usedMs();
  const startedAt = performance.now();
  const result = await call();
  const wallMs = performance.now() - startedAt;
  const cpuAfter = target.group?.usedMs();
  const cpuMs = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
  took.push({ step, wallMs, cpuMs });
  return result;
}

/** Removes every pod of this run, in whatever state it is; for after a failure. */
export async function removeAllPods(target: Target, run: string): Promise<void> {
  const options = { timeoutMs: TIMEOUT_MS };
  const filter = { labelSelector: { [RUN_LABEL]: run } };
  const { items } = await target.client.listPodSandbox({ filter }, options);
  await Promise.all(
    items.map(async ({ id }) => {
      await target.client.stopPodSandbox({ podSandboxId: id }, options);
      await target.client.removePodSandbox({ podSandboxId: id }, options);
    }),
  );
}
