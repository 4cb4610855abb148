// A container under test.

import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  ContainerState,
  NamespaceMode,
  type ContainerConfigInit,
  type ContainerStatus,
  type LinuxContainerResourcesInit,
  type LinuxContainerSecurityContextInit,
  type PodSandboxConfigInit,
} from '../../../api/cri/generated/types.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from '../../../pkg/runtime/spec.ts';
import type { LogLine } from '../../../pkg/stream/log-line.ts';
import { eventually } from './eventually.ts';
import { readLog } from './log.ts';
import type { TestNode } from './node.ts';
import { TEST_IMAGE } from './test-image.ts';

/** What a container needs of the pod that it is in. */
export interface OwnPod {
  readonly node: TestNode;
  readonly id: string;
  readonly config: PodSandboxConfigInit;
}

export interface ContainerOptions {
  readonly name?: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string | Buffer>>;
  readonly resources?: LinuxContainerResourcesInit;
  readonly security?: LinuxContainerSecurityContextInit;
  readonly streams?: Pick<ContainerConfigInit, 'stdin' | 'stdinOnce' | 'tty'>;
  /** Replaces what `containerConfig()` makes. */
  readonly config?: ContainerConfigInit;
}

/** Ends at once when it is asked to: process 1 of a container ignores signals that it has no handler for. */
export const WAIT_FOR_TERM = ['sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait'];

/** As the kubelet fills it for a container of an ordinary user. */
export function containerConfig(
  pod: Pick<OwnPod, 'config'>,
  options: ContainerOptions = {},
): ContainerConfigInit {
  const { name = 'main', image = TEST_IMAGE, command = WAIT_FOR_TERM, env = {} } = options;
  const podLabels = pod.config.labels ?? {};
  return {
    metadata: { name, attempt: 0 },
    image: { image, userSpecifiedImage: image },
    command,
    envs: Object.entries(env).map(([key, value]) => ({ key, value: Buffer.from(value) })),
    labels: { ...podLabels, 'io.kubernetes.container.name': name },
    annotations: { 'io.kubernetes.container.restartCount': '0' },
    logPath: `${name}/0.log`,
    ...options.streams,
    linux: {
      resources: { cpuShares: 2n, oomScoreAdj: 1000n, ...options.resources },
      securityContext: {
        namespaceOptions: pod.config.linux?.securityContext?.namespaceOptions ?? {
          pid: NamespaceMode.CONTAINER,
        },
        maskedPaths: DEFAULT_MASKED_PATHS,
        readonlyPaths: DEFAULT_READONLY_PATHS,
        ...options.security,
      },
    },
    ...options.config,
  };
}

export interface ExecOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export class TestContainer {
  readonly pod: OwnPod;
  readonly id: string;
  /** '' if it writes none. */
  readonly logPath: string;

  private constructor(pod: OwnPod, id: string, logPath: string) {
    this.pod = pod;
    this.id = id;
    this.logPath = logPath;
  }

  static async create(pod: OwnPod, options: ContainerOptions = {}): Promise<TestContainer> {
    const config = containerConfig(pod, options);
    const logPath = join(pod.config.logDirectory ?? '', config.logPath ?? '');
    mkdirSync(dirname(logPath), { recursive: true });
    const request = { podSandboxId: pod.id, config, sandboxConfig: pod.config };
    const { containerId } = await pod.node.client.createContainer(request);
    return new TestContainer(pod, containerId, logPath);
  }

  async start(): Promise<void> {
    await this.pod.node.client.startContainer({ containerId: this.id });
  }

  async status(): Promise<ContainerStatus> {
    const { status } = await this.pod.node.client.containerStatus({ containerId: this.id });
    if (status === undefined) throw new Error(`container "${this.id}" has no status`);
    return status;
  }

  /** The part of the verbose status that tells of this machine. */
  async info(): Promise<{ readonly pid: number; readonly monitorPid: number; readonly cgroupPath: string }> {
    const { info } = await this.pod.node.client.containerStatus({ containerId: this.id, verbose: true });
    return JSON.parse(info['info'] ?? '{}') as { pid: number; monitorPid: number; cgroupPath: string };
  }

  async waitForExit(timeoutMs = 15_000): Promise<ContainerStatus> {
    return await eventually(
      `container "${this.id}" ends`,
      async () => {
        const status = await this.status();
        return status.state === ContainerState.CONTAINER_EXITED && status;
      },
      timeoutMs,
    );
  }

  /** @param timeoutSeconds none when absent */
  async exec(cmd: readonly string[], timeoutSeconds = 0): Promise<ExecOutput> {
    const request = { containerId: this.id, cmd, timeout: BigInt(timeoutSeconds) };
    const { stdout, stderr, exitCode } = await this.pod.node.client.execSync(request);
    return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
  }

  async stop(timeoutSeconds = 10): Promise<void> {
    await this.pod.node.client.stopContainer({ containerId: this.id, timeout: BigInt(timeoutSeconds) });
  }

  async remove(): Promise<void> {
    await this.pod.node.client.removeContainer({ containerId: this.id });
  }

  log(): LogLine[] {
    return readLog(this.logPath);
  }

  /** What it wrote, lines put together again. */
  logText(stream: 'stdout' | 'stderr'): string {
    return this.log()
      .filter((line) => line.stream === stream)
      .map(({ content, partial }) => `${content.toString()}${partial ? '' : '\n'}`)
      .join('');
  }

  /** Waits until a line of the log contains `text`. */
  async waitForLog(text: string, timeoutMs = 10_000): Promise<void> {
    await eventually(
      `"${text}" is in the log of container "${this.id}"`,
      () => this.log().some(({ content }) => content.includes(text)),
      timeoutMs,
    );
  }
}
