// A pod under test: run and asked as a kubelet does it.

import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  NamespaceMode,
  type NamespaceOptionInit,
  type PodSandboxConfigInit,
  type PodSandboxStatus,
} from '../../../api/cri/generated/types.ts';
import { podCgroup } from './cgroup-driver.ts';
import { TestContainer, type ContainerOptions } from './container.ts';
import type { TestNode } from './node.ts';

export interface PodOptions {
  readonly name?: string;
  readonly attempt?: number;
  readonly handler?: string;
  readonly namespaces?: NamespaceOptionInit;
  readonly privileged?: boolean;
  /** Replaces what `podConfig()` makes. */
  readonly config?: PodSandboxConfigInit;
}

/** As the kubelet fills it for a pod of an ordinary user. */
export function podConfig(node: TestNode, options: PodOptions = {}): PodSandboxConfigInit {
  const { name = `pod-${randomUUID().slice(0, 8)}`, attempt = 0, namespaces = {}, privileged } = options;
  const uid = randomUUID();
  const logDirectory = join(node.place.logDir, `e2e_${name}_${uid}`);
  mkdirSync(logDirectory);
  return {
    metadata: { name, uid, namespace: 'e2e', attempt },
    hostname: name,
    logDirectory,
    dnsConfig: {
      servers: ['10.96.0.10'],
      searches: ['e2e.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      options: ['ndots:5'],
    },
    labels: {
      'io.kubernetes.pod.name': name,
      'io.kubernetes.pod.namespace': 'e2e',
      'io.kubernetes.pod.uid': uid,
    },
    annotations: { 'kubernetes.io/config.source': 'api' },
    linux: {
      cgroupParent: podCgroup(node.place.cgroupParent, uid),
      securityContext: {
        privileged,
        namespaceOptions: {
          network: NamespaceMode.POD,
          pid: NamespaceMode.CONTAINER,
          ipc: NamespaceMode.POD,
          ...namespaces,
        },
      },
    },
    ...options.config,
  };
}

export class TestPod {
  readonly node: TestNode;
  readonly id: string;
  readonly config: PodSandboxConfigInit;

  private constructor(node: TestNode, id: string, config: PodSandboxConfigInit) {
    this.node = node;
    this.id = id;
    this.config = config;
  }

  static async run(node: TestNode, options: PodOptions = {}): Promise<TestPod> {
    const config = podConfig(node, options);
    const request = { config, runtimeHandler: options.handler ?? '' };
    const { podSandboxId } = await node.client.runPodSandbox(request);
    return new TestPod(node, podSandboxId, config);
  }

  async status(): Promise<PodSandboxStatus> {
    const { status } = await this.node.client.podSandboxStatus({ podSandboxId: this.id });
    if (status === undefined) throw new Error(`pod "${this.id}" has no status`);
    return status;
  }

  /** The first address of the pod. */
  async ip(): Promise<string> {
    return (await this.status()).network?.ip ?? '';
  }

  async create(options: ContainerOptions = {}): Promise<TestContainer> {
    return await TestContainer.create(this, options);
  }

  /** A container that runs. */
  async start(options: ContainerOptions = {}): Promise<TestContainer> {
    const container = await this.create(options);
    await container.start();
    return container;
  }

  /** What a command writes to its standard output in a container of its own, which it must leave with 0. */
  async output(command: readonly string[], options: ContainerOptions = {}): Promise<string> {
    const container = await this.start({ name: `c-${randomUUID().slice(0, 8)}`, ...options, command });
    const { exitCode } = await container.waitForExit();
    const text = container.logText('stdout');
    if (exitCode !== 0)
      throw new Error(`it ended with ${exitCode}; stdout: ${text}; stderr: ${container.logText('stderr')}`);
    return text;
  }

  async stop(): Promise<void> {
    await this.node.client.stopPodSandbox({ podSandboxId: this.id });
  }

  async remove(): Promise<void> {
    await this.node.client.removePodSandbox({ podSandboxId: this.id });
  }
}
