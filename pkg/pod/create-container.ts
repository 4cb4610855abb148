// CreateContainer: what the kubelet asks, what the image says and what the pod shares become one container.

import { join, posix } from 'node:path';
import type { Call } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { newContainerId, type ContainerId, type SandboxId } from '../base/id.ts';
import type { Container, ContainerMount } from '../container/container.ts';
import { createContainer, undoCreation, type CreateDeps } from '../container/create.ts';
import type { Image } from '../image/image.ts';
import { IMAGE_VOLUME_MOUNT_FAILED } from '../image/image-volumes.ts';
import type { SharedWork } from '../async/shared-work.ts';
import type { KeyedLock } from '../async/keyed-lock.ts';
import { cgroupsPath, type CgroupDriver } from '../runtime/cgroup-path.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { signalNumber } from '../sys/signal-number.ts';
import type { ContainerConfig, MountConfig } from './container-config.ts';
import type { PlanContainer } from './container-plan.ts';
import { checkUsers } from './container-users.ts';
import type { Exits } from './exits.ts';

export interface CreatePodContainerDeps {
  readonly container: CreateDeps;
  readonly containers: { list(): Container[] };
  readonly sandboxes: { get(id: SandboxId): Sandbox };
  readonly sandboxLocks: KeyedLock<SandboxId>;
  readonly images: { find(name: string): Image | undefined };
  readonly creations: SharedWork<string, ContainerId>;
  /** Told of each container that has been made, also when its caller has left. */
  readonly exits: Pick<Exits, 'watch'>;
  readonly cgroup: { readonly driver: CgroupDriver; readonly parent: string };
  readonly plan: PlanContainer;
  /** @throws {Fault} resource_exhausted — the disk is full */
  readonly expectRoom: () => Promise<void>;
  /** Nanoseconds since the Unix epoch. */
  readonly now: () => bigint;
}

/**
 * Creates a container in a pod. Asked again for the same attempt, it joins the creation under way or answers
 * with its result.
 *
 * @throws {Fault} failed_precondition — the pod is not ready, or the image is an artifact; not_found — the image is not on this node;
 *   already_exists — the attempt had a container, which has been started
 */
export async function createPodContainer(
  deps: CreatePodContainerDeps,
  call: Call,
  sandboxId: SandboxId,
  config: ContainerConfig,
): Promise<ContainerId> {
  const { name, attempt } = config.metadata;
  const key = JSON.stringify([sandboxId, name, attempt]);
  return await deps.creations.do(key, call, (shared) => createOnce(deps, shared, sandboxId, config));
}

async function createOnce(
  deps: CreatePodContainerDeps,
  call: Call,
  sandboxId: SandboxId,
  config: ContainerConfig,
): Promise<ContainerId> {
  const existing = findAttempt(deps, sandboxId, config);
  if (existing?.state.phase === 'created') return existing.id;
  if (existing?.state.phase === 'creating') {
    await undoCreation(deps.container, call, existing.id); // what a failed creation could not undo then
    return await createOnce(deps, call, sandboxId, config); // or it was done after all: its caller had left in its last step
  }
  if (existing !== undefined) {
    const { name, attempt } = config.metadata;
    throw new Fault(
      'already_exists',
      `cannot create container "${name}" attempt ${attempt}: it is container "${existing.id}", which is ${existing.state.phase}`,
      { detail: { id: existing.id } },
    );
  }
  const sandbox = getReady(deps, sandboxId);
  checkPrivileged(sandbox, config);
  checkPid(sandbox, config);
  checkUsers(sandbox, config);
  const image = getImage(deps, config.image);
  await deps.expectRoom();
  const mounts = config.mounts.map((mount) => toMount(deps, mount));
  const container = { ...invent(deps, sandbox, image, config), mounts };
  const plan = await deps.plan(call, { container, sandbox, image, config });
  await createContainer(withReadyPod(deps, call, sandboxId), call, container, plan);
  deps.exits.watch(deps.container.store.get(container.id));
  return container.id;
}

/**
 * The first record of a container is written while its pod is held: either the pod's stop sees the container,
 * or the container sees that the pod stops.
 */
function withReadyPod(deps: CreatePodContainerDeps, call: Call, sandboxId: SandboxId): CreateDeps {
  const { store } = deps.container;
  const put = async (container: Container): Promise<void> => {
    if (container.state.phase !== 'creating' || store.find(container.id) !== undefined) {
      await store.put(container);
      return;
    }
    using _guard = await deps.sandboxLocks.acquireFor(sandboxId, call);
    getReady(deps, sandboxId);
    await store.put(container);
  };
  return {
    ...deps.container,
    store: {
      put,
      get: (id) => store.get(id),
      find: (id) => store.find(id),
      remove: (id) => store.remove(id),
    },
  };
}

function findAttempt(
  { containers }: CreatePodContainerDeps,
  sandboxId: SandboxId,
  { metadata }: ContainerConfig,
): Container | undefined {
  return containers
    .list()
    .find(
      (container) =>
        container.sandboxId === sandboxId &&
        container.metadata.name === metadata.name &&
        container.metadata.attempt === metadata.attempt,
    );
}

function getReady({ sandboxes }: CreatePodContainerDeps, id: SandboxId): Sandbox {
  const sandbox = sandboxes.get(id);
  if (sandbox.state.phase === 'ready') return sandbox;
  throw new Fault(
    'failed_precondition',
    `cannot create a container in pod sandbox "${id}": it is ${sandbox.state.phase}`,
  );
}

/** Source: the CRI on `LinuxSandboxSecurityContext.privileged`. */
function checkPrivileged({ id, config: pod }: Sandbox, { security }: ContainerConfig): void {
  if (!security.privileged || pod.privileged) return;
  throw new Fault(
    'invalid_argument',
    `config.linux.security_context.privileged is set, but pod sandbox "${id}" is not privileged`,
  );
}

/** As with privileges: what a pod has not, none of its containers gets. */
function checkPid({ id, config: pod }: Sandbox, { security }: ContainerConfig): void {
  if (security.pid.kind !== 'node' || pod.pid === 'node') return;
  throw new Fault(
    'invalid_argument',
    `config.linux.security_context.namespace_options.pid "NODE" is not what pod sandbox "${id}" has`,
  );
}

function getImage({ images }: CreatePodContainerDeps, name: string): Image {
  const image = images.find(name);
  if (image?.artifactType !== undefined) {
    const message = `cannot run image "${name}": it is an artifact of type "${image.artifactType}", which can only be mounted`;
    throw new Fault('failed_precondition', message, { detail: { image: name } });
  }
  if (image !== undefined) return image;
  throw new Fault('not_found', `image "${name}" is not on this node: pull it first`, {
    detail: { image: name },
  });
}

function toMount({ images }: CreatePodContainerDeps, { image, ...mount }: MountConfig): ContainerMount {
  if (image === undefined) return mount;
  const found = images.find(image.name);
  if (found !== undefined) return { ...mount, image: { ...image, id: found.id } };
  throw new Fault(
    'not_found',
    `${IMAGE_VOLUME_MOUNT_FAILED}image "${image.name}" is not on this node: pull it first`,
    { detail: { image: image.name } },
  );
}

const DEFAULT_STOP_SIGNAL = 'SIGTERM';

function invent(
  { cgroup, now }: CreatePodContainerDeps,
  sandbox: Sandbox,
  image: Image,
  config: ContainerConfig,
): Omit<Container, 'mounts'> {
  const id = newContainerId();
  const parent = sandbox.config.cgroupParent === '' ? cgroup.parent : sandbox.config.cgroupParent;
  const stopSignal = config.stopSignal ?? (image.config.StopSignal || DEFAULT_STOP_SIGNAL);
  signalNumber(stopSignal); // refuses what is none
  return {
    id,
    sandboxId: sandbox.id,
    metadata: config.metadata,
    image: { name: config.image, userSpecified: config.userSpecifiedImage, id: image.id },
    labels: config.labels,
    annotations: config.annotations,
    logPath: toLogPath(sandbox.config.logDirectory, config.logPath),
    tty: config.tty,
    stdinOnce: config.stdin && config.stdinOnce,
    resources: config.resources,
    stopSignal,
    handler: sandbox.config.handler,
    ownPidNamespace: hasOwnPidNamespace(sandbox, config),
    cgroupPath: cgroupsPath(cgroup.driver, parent, id).fs,
    createdAtNs: now(),
    state: { phase: 'creating' },
  };
}

/** `pod` in a pod that shares no pid namespace means one of its own, too. */
export function hasOwnPidNamespace({ config: pod }: Sandbox, { security }: ContainerConfig): boolean {
  return security.pid.kind === 'container' || (security.pid.kind === 'pod' && pod.pid === 'container');
}

/** @throws {Fault} invalid_argument — the path leads out of the pod's log directory */
export function toLogPath(directory: string, path: string): string {
  if (directory === '' || path === '') return '';
  const normal = posix.normalize(path);
  if (normal.startsWith('/') || normal === '..' || normal.startsWith('../') || normal.includes('\0')) {
    throw new Fault('invalid_argument', `config.log_path "${path}" leads out of the log directory`);
  }
  return join(directory, normal);
}
