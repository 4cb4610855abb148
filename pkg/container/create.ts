// CreateContainer: everything a container needs before its process may run. Removing undoes the same steps.

import { chown } from 'node:fs/promises';
import { dirname } from 'node:path';
import { perform, recover, type Operation, type Step } from '../async/operation.ts';
import type { KeyedLock } from '../async/keyed-lock.ts';
import { detached, type Call } from '../base/call.ts';
import type { ContainerId } from '../base/id.ts';
import { ensureDirectory, removeTree } from '../sys/files.ts';
import type { ResourcesInput } from '../runtime/resources.ts';
import type { PinnedUsers } from '../sys/user-namespace.ts';
import type { ProcessIdentity } from '../sys/process-identity.ts';
import type { Container, ContainerUser, MountedImage } from './container.ts';
import { mountVolumes, unmountVolumes, type IdmappedVolume } from './idmapped-volumes.ts';
import { containerPaths } from './paths.ts';
import { move } from './phase.ts';

/** What a container is made from; needed to make one, not to undo it. */
export interface Plan {
  /** Writes config.json into the bundle, now that the root file system is there to look users up in. */
  writeBundle(call: Call, mounted: Mounted): Promise<ContainerUser>;
  readonly readonlyRootfs: boolean;
  /** Of the pod, if they are not those of the node. */
  readonly users?: PinnedUsers | undefined;
  /** Whether it may divide its own cgroup. */
  readonly cgroupWritable: boolean;
  /** What has to be mounted with its ids mapped, for the bundle to mount it into the container. */
  readonly idmappedVolumes: readonly IdmappedVolume[];
  readonly stdin: { readonly open: boolean; readonly once: boolean };
  /** Of all files of its images, for SELinux. */
  readonly mountLabel?: string | undefined;
}

/** Where on the host what the container sees is mounted. */
export interface Mounted {
  readonly rootfs: string;
  /** Of the container's mounts that are images, in their order: a directory or a file. */
  readonly imageVolumes: readonly string[];
}

/** How the files of an image are shown. */
interface ImageView {
  readonly users?: PinnedUsers | undefined;
  readonly label?: string | undefined;
}

/** What creating and removing need of the rest of the daemon. All of it may be repeated. */
export interface CreateDeps {
  readonly runDir: string;
  readonly locks: KeyedLock<ContainerId>;
  readonly store: {
    get(id: ContainerId): Container;
    find(id: ContainerId): Container | undefined;
    put(container: Container): Promise<void>;
    remove(id: ContainerId): Promise<void>;
  };
  readonly snapshots: {
    prepare(
      call: Call,
      id: ContainerId,
      imageId: Container['image']['id'],
      options: ImageView & { readonly readonly: boolean },
    ): Promise<{ readonly rootfs: string }>;
    remove(call: Call, id: ContainerId): Promise<void>;
  };
  readonly volumes: {
    mount(
      call: Call,
      id: ContainerId,
      volumes: readonly { readonly imageId: MountedImage['id']; readonly subPath: string }[],
      view: ImageView,
    ): Promise<readonly string[]>;
    remove(id: ContainerId): Promise<void>;
  };
  readonly runtime: {
    /** Creates what the bundle describes, behind a shim that outlives the daemon. */
    create(call: Call, container: Container, stdin: Plan['stdin']): Promise<Created>;
    /** Kills what is left of it and makes the runtime forget it. */
    delete(call: Call, container: Container): Promise<void>;
  };
  readonly cgroups: {
    killAll(call: Call, path: string): Promise<void>;
    remove(path: string): Promise<void>;
    delegate(path: string, ownerId: number): Promise<void>;
  };
}

/** Creates a container that has just been invented. When it throws, nothing of it is left. */
export async function createContainer(
  deps: CreateDeps,
  call: Call,
  container: Container,
  plan: Plan,
): Promise<void> {
  using _guard = await deps.locks.acquireFor(container.id, call);
  await perform(call, createOperation(deps, container, plan));
}

/** Takes away what is left of a creation that failed and could not be undone at the time. */
export async function undoCreation(deps: CreateDeps, call: Call, id: ContainerId): Promise<void> {
  using _guard = await deps.locks.acquireFor(id, call);
  const container = deps.store.find(id);
  if (container?.state.phase === 'creating') await recover(detached(call), createOperation(deps, container));
}

/** Removes a container that does not run, and all of it that is on the node. */
export async function removeContainer(deps: CreateDeps, call: Call, id: ContainerId): Promise<void> {
  using _guard = await deps.locks.acquireFor(id, call);
  const container = deps.store.find(id);
  if (container === undefined) return;
  const { state } = container;
  const last = state.phase === 'exited' ? state : state.phase === 'removing' ? state.last : undefined;
  await deps.store.put({ ...container, state: move(state, { phase: 'removing', last }) });
  await recover(detached(call), createOperation(deps, container));
}

/** The operation that brings `container` to `created`; without a plan, what undoes it. */
export function createOperation(deps: CreateDeps, container: Container, plan?: Plan): Operation {
  const { id } = container;
  const outcome: Outcome = { imageVolumes: [], user: undefined, created: undefined };
  return {
    name: `create container ${id}`,
    begin: () => deps.store.put({ ...container, state: { phase: 'creating' } }),
    steps: [
      makeBundle(deps, container, plan?.users),
      mapVolumes(deps, container, plan),
      mountImages(deps, container, { plan, outcome }),
      prepareRootfs(deps, container, { plan, outcome }),
      createInRuntime(deps, container, { plan, outcome }),
    ],
    done: async () => {
      if (outcome.created === undefined) return;
      const { process, shim, resources } = outcome.created;
      const creating = deps.store.get(id);
      const state = move(creating.state, { phase: 'created', process, shim });
      await deps.store.put({ ...creating, user: outcome.user, resources, state });
    },
    undone: () => deps.store.remove(id),
  };
}

interface Created {
  readonly process: ProcessIdentity;
  readonly shim: ProcessIdentity;
  /** What the kernel has made of what was asked for. */
  readonly resources?: ResourcesInput | undefined;
}

/** What the steps have learnt; it goes to disk once, at the end. */
interface Outcome {
  imageVolumes: readonly string[];
  user: ContainerUser | undefined;
  created: Created | undefined;
}

/** Root of a pod with users of its own may pass, but not look: the runtime is that root when it mounts. */
function makeBundle({ runDir }: CreateDeps, { id }: Container, users: PinnedUsers | undefined): Step {
  const { bundle } = containerPaths(runDir, id);
  return {
    label: 'create bundle',
    run: async () => {
      await ensureDirectory(dirname(bundle), 0o711);
      await ensureDirectory(bundle, users === undefined ? 0o700 : 0o710);
      if (users !== undefined) await chown(bundle, 0, users.mapping.hostId);
    },
    undo: () => removeTree(bundle),
  };
}

function mapVolumes({ runDir }: CreateDeps, { id }: Container, plan: Plan | undefined): Step {
  return {
    label: 'map ids of volumes',
    run: async () => {
      if (plan?.users !== undefined) await mountVolumes(plan.idmappedVolumes, plan.users.path);
    },
    undo: () => unmountVolumes(containerPaths(runDir, id).bundle),
  };
}

interface Making {
  /** Absent when all there is to do is to undo. */
  readonly plan: Plan | undefined;
  readonly outcome: Outcome;
}

function mountImages({ volumes }: CreateDeps, { id, mounts }: Container, { plan, outcome }: Making): Step {
  const wanted = mounts.flatMap(({ image }) =>
    image === undefined ? [] : [{ imageId: image.id, subPath: image.subPath }],
  );
  return {
    label: 'mount image volumes',
    run: async (call) => {
      if (plan === undefined) return;
      const { users, mountLabel: label } = plan;
      outcome.imageVolumes = await volumes.mount(call, id, wanted, { users, label });
    },
    undo: () => volumes.remove(id),
  };
}

function prepareRootfs({ snapshots }: CreateDeps, { id, image }: Container, { plan, outcome }: Making): Step {
  return {
    label: 'prepare root file system',
    run: async (call) => {
      if (plan === undefined) return;
      const { readonlyRootfs: readonly, users, mountLabel: label } = plan;
      const { rootfs } = await snapshots.prepare(call, id, image.id, { readonly, users, label });
      const { imageVolumes } = outcome;
      outcome.user = await plan.writeBundle(call, { rootfs, imageVolumes });
    },
    undo: (call) => snapshots.remove(call, id),
  };
}

function createInRuntime(
  { runtime, cgroups }: CreateDeps,
  container: Container,
  { plan, outcome }: Making,
): Step {
  const { cgroupPath } = container;
  return {
    label: 'create in runtime',
    run: async (call) => {
      if (plan === undefined) return;
      outcome.created = await runtime.create(call, container, plan.stdin);
      const { users, cgroupWritable } = plan;
      if (users !== undefined && cgroupWritable) await cgroups.delegate(cgroupPath, users.mapping.hostId);
    },
    undo: async (call) => {
      await runtime.delete(call, container);
      await cgroups.killAll(call, cgroupPath); // its monitor is not in there
      await cgroups.remove(cgroupPath);
    },
  };
}
