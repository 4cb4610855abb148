// What a sandbox puts on the node, in order; undone in reverse when the pod stops or its start fails.
// Every step can be repeated, and undone from the record alone.

import { chown } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Step } from '../async/operation.ts';
import type { Call } from '../base/call.ts';
import type { SandboxId } from '../base/id.ts';
import type { NetworkConfigList } from '../network/network-config.ts';
import type { PodAttachment } from '../network/pod-attachment.ts';
import type { NetworkResult } from '../network/result.ts';
import { ensureDirectory, removeTree } from '../sys/files.ts';
import { mountTmpfs, unmount } from '../sys/mount.ts';
import { pinNamespaces, unpinNamespaces, type PodNamespace } from '../sys/namespace.ts';
import { pinUserNamespaces } from '../sys/user-namespace.ts';
import { toAttachment } from './attachment.ts';
import { sandboxPaths } from './paths.ts';
import { podHostname, writePodFiles } from './pod-files.ts';
import type { Sandbox } from './sandbox.ts';

/** What the steps need of the rest of the daemon. All of it may be repeated. */
export interface StepDeps {
  readonly runDir: string;
  readonly store: { get(id: SandboxId): Sandbox; put(sandbox: Sandbox): Promise<void> };
  readonly cgroups: {
    create(path: string): Promise<void>;
    remove(path: string): Promise<void>;
    killAll(call: Call, path: string): Promise<void>;
  };
  readonly networks: {
    attach(call: Call, list: NetworkConfigList, pod: PodAttachment): Promise<NetworkResult>;
    detach(call: Call, list: NetworkConfigList, pod: PodAttachment, previous?: NetworkResult): Promise<void>;
  };
  readonly init: PodInit;
}

/** The first process of a pod with a pid namespace of its own. */
export interface PodInit {
  start(call: Call, sandbox: Sandbox): Promise<void>;
  remove(call: Call, sandbox: Sandbox): Promise<void>;
}

/** What /dev/shm may hold; the default of every container runtime. */
const SHARED_MEMORY_BYTES = 64 * 1024 * 1024;

export function sandboxSteps(deps: StepDeps, sandbox: Sandbox): Step[] {
  const { network, ipc, pid } = sandbox.config;
  return [
    makeDirectory(deps, sandbox),
    makeCgroup(deps, sandbox),
    pinPodNamespaces(deps, sandbox),
    ...(ipc === 'pod' ? [mountSharedMemory(deps, sandbox)] : []),
    ...(network === 'pod' ? [attachNetwork(deps, sandbox)] : []),
    ...(pid === 'pod' ? [startInit(deps, sandbox)] : []),
  ];
}

function makeDirectory({ runDir }: StepDeps, { id, config }: Sandbox): Step {
  const paths = sandboxPaths(runDir, id);
  const { userNamespace } = config;
  return {
    label: 'write pod files',
    run: async () => {
      await ensureDirectory(dirname(paths.dir), 0o711);
      // Users of the host must not write into the pod's /dev/shm; its own root has to get to its init.
      await ensureDirectory(paths.dir, userNamespace === undefined ? 0o700 : 0o710);
      if (userNamespace !== undefined) await chown(paths.dir, 0, userNamespace.hostId);
      await writePodFiles(paths, config);
    },
    undo: () => removeTree(paths.dir),
  };
}

function makeCgroup({ cgroups }: StepDeps, { cgroupPath }: Sandbox): Step {
  return {
    label: 'create cgroup',
    run: () => cgroups.create(cgroupPath),
    undo: async (call) => {
      await cgroups.killAll(call, cgroupPath);
      await cgroups.remove(cgroupPath);
    },
  };
}

function pinPodNamespaces({ runDir }: StepDeps, { id, config }: Sandbox): Step {
  const { namespaces: dir } = sandboxPaths(runDir, id);
  const { userNamespace: mapping } = config;
  const types: PodNamespace[] = [
    ...(config.network === 'pod' ? (['net', 'uts'] as const) : []),
    ...(config.ipc === 'pod' ? (['ipc'] as const) : []),
  ];
  return {
    label: 'create namespaces',
    run: async (call) => {
      await ensureDirectory(dir, 0o700);
      const hostname = config.network === 'pod' ? { hostname: podHostname(config) } : {};
      const options = { dir, types, sysctls: config.sysctls, ...hostname };
      if (mapping === undefined) pinNamespaces(options);
      else await pinUserNamespaces(call, { ...options, mapping });
    },
    undo: () => {
      unpinNamespaces(dir);
      return Promise.resolve();
    },
  };
}

function mountSharedMemory({ runDir }: StepDeps, { id, config, selinux }: Sandbox): Step {
  const { sharedMemory } = sandboxPaths(runDir, id);
  const ownerId = config.userNamespace?.hostId ?? 0;
  return {
    label: 'mount shared memory',
    run: async () => {
      await ensureDirectory(sharedMemory, 0o1777);
      unmount(sharedMemory);
      const label = selinux?.mount;
      mountTmpfs(sharedMemory, { sizeBytes: SHARED_MEMORY_BYTES, mode: 0o1777, ownerId, label });
    },
    undo: () => {
      unmount(sharedMemory);
      return Promise.resolve();
    },
  };
}

function attachNetwork({ runDir, store, networks }: StepDeps, sandbox: Sandbox): Step {
  const { id, networkConfig } = sandbox;
  const attachment = toAttachment(runDir, sandbox);
  return {
    label: 'attach network',
    run: async (call) => {
      if (networkConfig === undefined) return;
      const network = await networks.attach(call, networkConfig, attachment);
      await store.put({ ...store.get(id), network });
    },
    undo: async (call) => {
      if (networkConfig === undefined) return;
      await networks.detach(call, networkConfig, attachment, store.get(id).network);
    },
  };
}

function startInit({ init }: StepDeps, sandbox: Sandbox): Step {
  return {
    label: 'start init of the pid namespace',
    run: (call) => init.start(call, sandbox),
    undo: (call) => init.remove(call, sandbox),
  };
}
