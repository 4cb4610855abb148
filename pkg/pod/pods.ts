// The pods of this node: everything that can be done to a sandbox or a container.

import { join } from 'node:path';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import type { ContainerId, SandboxId } from '../base/id.ts';
import { both, type Stage } from '../base/timeline.ts';
import type { Container } from '../container/container.ts';
import { startContainer, type StartDeps } from '../container/start.ts';
import { stopContainer } from '../container/stop.ts';
import { updateResources, type UpdateDeps } from '../container/update.ts';
import { fullName } from '../image/reference.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import { sandboxPaths } from '../sandbox/paths.ts';
import { isSameAttempt, type Sandbox, type SandboxConfig, type SandboxMetadata } from '../sandbox/sandbox.ts';
import { updatePodResources, type PodResources } from '../sandbox/update.ts';
import type { ContainerConfig } from './container-config.ts';
import type { ContainerRuntime, ExecOptions, ExecResult } from './container-runtime.ts';
import { createPodContainer, type CreatePodContainerDeps } from './create-container.ts';
import { runPod, type RunPodDeps } from './run-pod.ts';
import { forceRemoveContainer, removePod, stopPod, type StopPodDeps } from './stop-pod.ts';
import { PodStreams } from './streaming.ts';
import { Timelines, type PodStart } from './timelines.ts';

export interface PodsDeps {
  readonly runDir: string;
  readonly run: RunPodDeps;
  readonly stop: StopPodDeps;
  readonly create: CreatePodContainerDeps;
  readonly start: StartDeps;
  readonly update: UpdateDeps;
  readonly runtime: Pick<
    ContainerRuntime,
    'reopenLog' | 'execSync' | 'exec' | 'attach' | 'resize' | 'endOrphanExecs'
  >;
  readonly sandboxes: { get(id: SandboxId): Sandbox };
  readonly containers: { get(id: ContainerId): Container; list(): Container[] };
  readonly podCidr: { set(podCidr: string): Promise<void> };
}

export class Pods {
  /** What can be streamed to and from them. */
  readonly streams: PodStreams;
  readonly #deps: PodsDeps;
  readonly #timelines = new Timelines();

  constructor(deps: PodsDeps) {
    this.#deps = deps;
    this.streams = new PodStreams(deps);
  }

  async run(call: Call, config: SandboxConfig): Promise<SandboxId> {
    const timelineOf = (id: SandboxId) => this.#timelines.of(id).start;
    return await runPod({ ...this.#deps.run, timelineOf }, call, config);
  }

  async stop(call: Call, id: SandboxId): Promise<void> {
    await stopPod(this.#deps.stop, call, id);
  }

  async remove(call: Call, id: SandboxId): Promise<void> {
    await removePod(this.#deps.stop, call, id);
  }

  async createContainer(call: Call, podId: SandboxId, config: ContainerConfig): Promise<ContainerId> {
    const timeline = both(call.timeline, this.#timelines.of(podId).start.about(config.metadata.name));
    using _stage = timeline.begin(`create ${config.metadata.name}`);
    return await createPodContainer(this.#deps.create, { ...call, timeline }, podId, config);
  }

  async startContainer(call: Call, id: ContainerId): Promise<void> {
    const { sandboxId, metadata } = this.#deps.containers.get(id);
    const timeline = both(call.timeline, this.#timelines.of(sandboxId).start.about(metadata.name));
    using _stage = timeline.begin(`start ${metadata.name}`);
    await startContainer(this.#deps.start, { ...call, timeline }, id);
  }

  async stopContainer(call: Call, id: ContainerId, graceMs: number): Promise<void> {
    await stopContainer(this.#deps.stop.container, call, id, graceMs);
  }

  async removeContainer(call: Call, id: ContainerId): Promise<void> {
    await forceRemoveContainer(this.#deps.stop, call, id);
  }

  async updateContainer(call: Call, id: ContainerId, resources: ResourcesInput): Promise<void> {
    await updateResources(this.#deps.update, call, id, resources);
  }

  async updateSandbox(call: Call, id: SandboxId, resources: PodResources): Promise<void> {
    await updatePodResources(this.#deps.stop.sandbox, call, id, resources);
  }

  /** @throws {Fault} failed_precondition — the container does not run, or has no log */
  async reopenLog(call: Call, id: ContainerId): Promise<void> {
    const container = this.#running(id, 'reopen the log of');
    if (container.logPath === '')
      throw new Fault('failed_precondition', `cannot reopen the log of container "${id}": it has none`);
    await this.#deps.runtime.reopenLog(call, container);
  }

  /** @throws {Fault} failed_precondition — the container does not run; deadline_exceeded — its time was up */
  async execSync(call: Call, id: ContainerId, options: ExecOptions): Promise<ExecResult> {
    return await this.#deps.runtime.execSync(call, this.#running(id, 'run a command in'), options);
  }

  async setPodCidr(podCidr: string): Promise<void> {
    await this.#deps.podCidr.set(podCidr);
  }

  /** How the pod's start went; empty for pods of long ago. */
  timeline(id: SandboxId): readonly Stage[] {
    return this.#timelines.stages(id);
  }

  /** How a container's start went, with the pull of its image for the pod. */
  containerTimeline({ sandboxId, metadata, image }: Container): readonly Stage[] {
    const about = new Set([metadata.name, fullName(image.userSpecified), fullName(image.name)]);
    return this.#timelines.stages(sandboxId).filter(({ of }) => of !== undefined && about.has(of));
  }

  /** `call`, with its stages noted for the pod too, if that is here: an image is being pulled for it. */
  pullingFor(call: Call, pod: SandboxMetadata, image: string): Call {
    const sandbox = this.#deps.run.sandboxes.list().find(({ config }) => isSameAttempt(config.metadata, pod));
    const known = sandbox && this.#timelines.find(sandbox.id);
    if (known === undefined) return call;
    return { ...call, timeline: both(call.timeline, known.pulls.about(fullName(image))) };
  }

  /** The pods whose start is under way, also those that nobody waits for any more. */
  underWay(): PodStart[] {
    return this.#timelines.underWay();
  }

  /** Where the namespaces of the pod are pinned. */
  namespacesOf(id: SandboxId): Readonly<Record<string, string>> {
    const { namespaces } = sandboxPaths(this.#deps.runDir, id);
    const { network, ipc, pid } = this.#deps.sandboxes.get(id).config;
    const types = [
      ...(network === 'pod' ? ['net', 'uts'] : []),
      ...(ipc === 'pod' ? ['ipc'] : []),
      ...(pid === 'pod' ? ['pid'] : []),
    ];
    return Object.fromEntries(types.map((type) => [type, join(namespaces, type)]));
  }

  #running(id: ContainerId, what: string): Container {
    const container = this.#deps.containers.get(id);
    const { phase } = container.state;
    if (phase === 'running' || phase === 'stopping') return container;
    throw new Fault('failed_precondition', `cannot ${what} container "${id}": it is ${phase}`);
  }
}
