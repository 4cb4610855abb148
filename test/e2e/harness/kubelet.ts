// A kubelet of the tests: asks again, as long as it takes, when the daemon is away. What it was told is kept, to
// be compared with what is.

import { setTimeout as delay } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import {
  ContainerState,
  type ContainerStatus,
  type PodSandboxConfigInit,
} from '../../../api/cri/generated/types.ts';
import { containerConfig, type ContainerOptions } from './container.ts';
import { readLog } from './log.ts';
import type { TestNode } from './node.ts';
import { patience } from './patience.ts';
import { podConfig } from './pod.ts';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const PATIENCE_MS = patience(30_000);
const INTERVAL_MS = 20;

/** The daemon has gone, or goes just now. */
const AWAY: readonly number[] = [status.UNAVAILABLE, status.CANCELLED];

export class Kubelet {
  readonly node: TestNode;
  readonly #asksAgain: boolean;

  constructor(node: TestNode, { asksAgain = true } = {}) {
    this.node = node;
    this.#asksAgain = asksAgain;
  }

  async runPod(config = podConfig(this.node)): Promise<KubeletPod> {
    const { podSandboxId } = await this.ask((client) => client.runPodSandbox({ config }));
    return { id: podSandboxId, config };
  }

  /** A container that has not been started. */
  async create(pod: KubeletPod, options: ContainerOptions): Promise<Omit<KubeletContainer, 'pid'>> {
    const config = containerConfig(pod, options);
    const logPath = join(pod.config.logDirectory ?? '', config.logPath ?? '');
    mkdirSync(dirname(logPath), { recursive: true });
    const request = { podSandboxId: pod.id, config, sandboxConfig: pod.config };
    const { containerId } = await this.ask((client) => client.createContainer(request));
    return { id: containerId, logPath };
  }

  /** A container that has been started. */
  async start(pod: KubeletPod, options: ContainerOptions): Promise<KubeletContainer> {
    const created = await this.create(pod, options);
    await this.startCreated(created.id);
    return { ...created, pid: await this.pidOf(created.id) };
  }

  /** Asks first whether it runs already: an answer may have been lost. */
  async startCreated(containerId: string): Promise<void> {
    await this.ask(async (client) => {
      const { status: now } = await client.containerStatus({ containerId });
      if (now?.state === ContainerState.CONTAINER_CREATED) await client.startContainer({ containerId });
    });
  }

  async status(containerId: string): Promise<ContainerStatus> {
    const { status: now } = await this.ask((client) => client.containerStatus({ containerId }));
    if (now === undefined) throw new Error(`container "${containerId}" has no status`);
    return now;
  }

  /** 0 if it does not run. */
  async pidOf(containerId: string): Promise<number> {
    const { info } = await this.ask((client) => client.containerStatus({ containerId, verbose: true }));
    return (JSON.parse(info['info'] ?? '') as { pid: number }).pid;
  }

  async exec(containerId: string): Promise<void> {
    await this.ask((client) => client.execSync({ containerId, cmd: ['true'], timeout: 20n }));
  }

  async removeContainer(containerId: string): Promise<void> {
    await this.ask((client) => client.stopContainer({ containerId, timeout: 0n }));
    await this.ask((client) => client.removeContainer({ containerId }));
  }

  async removePod(podSandboxId: string): Promise<void> {
    await this.ask((client) => client.stopPodSandbox({ podSandboxId }));
    await this.ask((client) => client.removePodSandbox({ podSandboxId }));
  }

  /** Calls again, as long as the daemon is away. */
  async ask<T>(call: (client: TestNode['client']) => Promise<T>): Promise<T> {
    for (const deadline = Date.now() + PATIENCE_MS; ;) {
      try {
        return await call(this.node.client);
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? Number(error.code) : -1;
        const isAway = AWAY.includes(code) || isClosed(error);
        if (!isAway || !this.#asksAgain || Date.now() > deadline) throw error;
      }
      await delay(INTERVAL_MS);
    }
  }
}

/** Our own connection was closed when the daemon was killed. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && /channel has been (closed|shut down)/i.test(error.message);
}

export interface KubeletPod {
  readonly id: string;
  readonly config: PodSandboxConfigInit;
}

export interface KubeletContainer {
  readonly id: string;
  readonly logPath: string;
  /** 0 if it had ended when it was looked at. */
  readonly pid: number;
}

/** The numbers of `line 1`, `line 2` … in a log. */
export function numbersIn(logPath: string): number[] {
  return readLog(logPath).map(({ content }) => Number(/^line (\d+)$/.exec(content.toString())?.[1]));
}
