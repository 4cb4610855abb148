// A runtime in memory that speaks CRI on a real socket, and davitctl run against it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerState, PodSandboxState } from '../../../api/cri/generated/types.ts';
import type {
  ContainerConfig,
  ContainerInit,
  ContainerStatusInit,
  ImageInit,
  PodSandboxConfig,
  PodSandboxInit,
  PodSandboxStatusInit,
} from '../../../api/cri/generated/types.ts';
import type { Call } from '../../../pkg/base/call.ts';
import { notFound } from '../../../pkg/base/fault.ts';
import { silentLog } from '../../../pkg/base/testing/call.ts';
import { GrpcServer, type Services } from '../../../pkg/server/serve.ts';
import type { Io } from '../command.ts';
import { davitctl } from '../davitctl.ts';

/** The clock of davitctl in tests. */
export const NOW_MS = Date.parse('2026-11-21T12:00:00Z');
export const ago = (seconds: number): bigint => BigInt(NOW_MS - seconds * 1000) * 1_000_000n;

type Fakes = Services['runtime'] & Services['image'];

export class FakeRuntime implements AsyncDisposable {
  pods: PodSandboxInit[] = [];
  containers: ContainerInit[] = [];
  images: ImageInit[] = [];
  /** Added to the status of each pod and container. */
  podStatus: PodSandboxStatusInit = {};
  containerStatus: ContainerStatusInit = {};
  podInfo: Record<string, string> = {};
  /** What was asked that changes something: `StopContainer c1`. */
  readonly calls: string[] = [];
  podConfig: PodSandboxConfig | undefined;
  containerConfig: ContainerConfig | undefined;
  readonly dir: string;
  #server: GrpcServer | undefined;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** @param overrides handlers in place of ours */
  static async start(
    overrides: Fakes = {},
    admin: NonNullable<Services['admin']> = {},
  ): Promise<FakeRuntime> {
    const fake = new FakeRuntime(await mkdtemp(join(tmpdir(), 'davit-test-ctl-')));
    const services = {
      runtime: { ...fake.#sandboxes(), ...fake.#containers(), ...overrides },
      image: { ...fake.#images(), ...overrides },
      admin,
    };
    fake.#server = await GrpcServer.listen({ socketPath: fake.socketPath, services, log: silentLog });
    return fake;
  }

  get socketPath(): string {
    return join(this.dir, 's');
  }

  /** Runs `davitctl ARGS` against this runtime. */
  run(...args: string[]): Promise<Outcome> {
    return runDavitctl(['--socket', this.socketPath, ...args], { cwd: this.dir });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop(0);
    await rm(this.dir, { recursive: true });
  }

  #sandboxes(): Fakes {
    const { calls } = this;
    return {
      version: () =>
        Promise.resolve({
          version: '0.1.0',
          runtimeName: 'fake',
          runtimeVersion: '1.2.3',
          runtimeApiVersion: 'v1',
        }),
      runPodSandbox: (_call: Call, { config, runtimeHandler }) => {
        this.podConfig = config;
        calls.push(`RunPodSandbox ${runtimeHandler}`.trim());
        this.pods.push({ id: 'pod-new', metadata: config?.metadata });
        return Promise.resolve({ podSandboxId: 'pod-new' });
      },
      stopPodSandbox: (_call, { podSandboxId }) => this.#noted('StopPodSandbox', podSandboxId),
      removePodSandbox: (_call, { podSandboxId }) => this.#noted('RemovePodSandbox', podSandboxId),
      listPodSandbox: () => Promise.resolve({ items: this.pods }),
      podSandboxStatus: (_call, { podSandboxId, verbose }) => {
        const pod = this.pods.find(({ id }) => id === podSandboxId);
        if (pod === undefined) throw notFound('sandbox', podSandboxId);
        return Promise.resolve({ status: { ...pod, ...this.podStatus }, info: verbose ? this.podInfo : {} });
      },
    };
  }

  #containers(): Fakes {
    const { calls } = this;
    return {
      createContainer: (_call, { config }) => {
        this.containerConfig = config;
        calls.push('CreateContainer');
        this.containers.push({ id: 'container-new', metadata: config?.metadata });
        return Promise.resolve({ containerId: 'container-new' });
      },
      startContainer: (_call, { containerId }) => {
        this.containers = this.containers.map((container) =>
          container.id === containerId
            ? { ...container, state: ContainerState.CONTAINER_RUNNING }
            : container,
        );
        return this.#noted('StartContainer', containerId);
      },
      stopContainer: (_call, { containerId, timeout }) =>
        this.#noted('StopContainer', `${containerId} ${String(timeout)}`),
      removeContainer: (_call, { containerId }) => this.#noted('RemoveContainer', containerId),
      listContainers: (_call, { filter }) => {
        const wanted = filter?.state?.state;
        const inPod = filter?.podSandboxId ?? '';
        return Promise.resolve({
          containers: this.containers
            .filter(({ state = 0 }) => wanted === undefined || state === wanted)
            .filter(({ podSandboxId }) => inPod === '' || podSandboxId === inPod),
        });
      },
      containerStatus: (_call, { containerId }) => {
        const container = this.containers.find(({ id }) => id === containerId);
        if (container === undefined) throw notFound('container', containerId);
        return Promise.resolve({ status: { ...container, ...this.containerStatus } });
      },
    };
  }

  #images(): Fakes {
    const { calls } = this;
    return {
      listImages: () => Promise.resolve({ images: this.images }),
      imageStatus: (_call, { image }) => {
        const text = image?.image ?? '';
        const found = this.images.find(
          ({ id, repoTags }) => id === text || repoTags?.includes(text) === true,
        );
        return Promise.resolve({ image: found });
      },
      pullImage: (_call, { image, auth }) => {
        const name = image?.image ?? '';
        calls.push(`PullImage ${name}${auth === undefined ? '' : ` ${auth.username}:${auth.password}`}`);
        this.images.push({ id: 'sha256:pulled', repoTags: [name] });
        return Promise.resolve({ imageRef: 'sha256:pulled' });
      },
      removeImage: (_call, { image }) => this.#noted('RemoveImage', image?.image ?? ''),
    };
  }

  #noted(rpc: string, what: string): Promise<object> {
    this.calls.push(`${rpc} ${what}`);
    return Promise.resolve({});
  }
}

export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `davitctl ARGS` without a process. */
export async function runDavitctl(args: readonly string[], overrides: Partial<Io> = {}): Promise<Outcome> {
  const text = { out: '', err: '' };
  const status = await davitctl(args, {
    out: (line) => {
      text.out += `${line}\n`;
    },
    err: (line) => {
      text.err += `${line}\n`;
    },
    write: (bytes, to) => {
      text[to] += Buffer.from(bytes).toString();
      return Promise.resolve();
    },
    readInput: () => Promise.resolve(''),
    env: {},
    cwd: '/',
    signal: new AbortController().signal,
    now: () => NOW_MS,
    ...overrides,
  });
  return { status, ...text };
}

/** A pod `web` with a running container `nginx` and one that has ended, from an image with a name. */
export function populate(fake: FakeRuntime): void {
  const image = `sha256:${'1'.repeat(64)}`;
  fake.images = [{ id: image, repoTags: ['docker.io/library/nginx:1.29'], size: 4_500_000n }];
  fake.pods = [
    {
      id: 'a'.repeat(64),
      metadata: { name: 'web', namespace: 'default', uid: 'u1', attempt: 0 },
      state: PodSandboxState.SANDBOX_READY,
      createdAt: ago(180),
    },
    {
      id: 'b'.repeat(64),
      metadata: { name: 'old', namespace: 'kube-system', uid: 'u2', attempt: 1 },
      state: PodSandboxState.SANDBOX_NOTREADY,
      createdAt: ago(3 * 86_400),
      runtimeHandler: 'crun',
    },
  ];
  const from = { podSandboxId: 'a'.repeat(64), image: { image }, imageRef: image, imageId: image };
  fake.containers = [
    {
      id: 'c'.repeat(64),
      metadata: { name: 'nginx', attempt: 0 },
      state: ContainerState.CONTAINER_RUNNING,
      createdAt: ago(170),
      ...from,
    },
    {
      id: 'd'.repeat(64),
      metadata: { name: 'init', attempt: 2 },
      state: ContainerState.CONTAINER_EXITED,
      createdAt: ago(175),
      ...from,
    },
  ];
}
