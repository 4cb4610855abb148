// The calls of the CRI that change something on the node, each as a kubelet makes it.

import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import {
  ContainerState,
  PodSandboxState,
  type ContainerStatus,
} from '../../../../api/cri/generated/types.ts';
import type { ContainerOptions } from '../container.ts';
import { eventually } from '../eventually.ts';
import { numbersIn, type Kubelet, type KubeletContainer, type KubeletPod } from '../kubelet.ts';
import { podConfig } from '../pod.ts';
import type { Scenario } from './fault-harness.ts';

/** A line each few milliseconds, so that a gap in its log, or a second start, would be seen. */
const COUNT = [
  'sh',
  '-c',
  'trap "exit 3" TERM; i=0; while :; do i=$((i+1)); echo line $i; sleep 0.005; done',
];

interface InPod {
  readonly pod: KubeletPod;
}

interface InContainer extends InPod {
  readonly container: KubeletContainer;
}

const removePod = (kubelet: Kubelet, { pod }: InPod): Promise<void> => kubelet.removePod(pod.id);

async function running(kubelet: Kubelet, options: ContainerOptions = {}): Promise<InContainer> {
  const pod = await kubelet.runPod();
  return { pod, container: await kubelet.start(pod, { command: COUNT, ...options }) };
}

/** It can be asked to end: process 1 of a container does not hear a signal before it has a handler. */
async function counting(kubelet: Kubelet): Promise<InContainer> {
  const made = await running(kubelet);
  await eventually('it counts', () => numbersIn(made.container.logPath).length > 0);
  return made;
}

async function exited(kubelet: Kubelet): Promise<InContainer> {
  const made = await running(kubelet, { command: ['true'] });
  await eventually('it ends', async () => (await kubelet.status(made.container.id)).finishedAt > 0n);
  return made;
}

/** Of one pod, by the identity that the kubelet gave to it. */
async function sandboxesOf(kubelet: Kubelet, { config }: Pick<KubeletPod, 'config'>) {
  const { items } = await kubelet.ask((client) => client.listPodSandbox());
  return items.filter(({ metadata }) => metadata?.uid === config.metadata?.uid);
}

async function containersOf(kubelet: Kubelet, podSandboxId: string) {
  return (await kubelet.ask((client) => client.listContainers({ filter: { podSandboxId } }))).containers;
}

async function expectState(
  kubelet: Kubelet,
  { id }: { id: string },
  wanted: Partial<ContainerStatus>,
): Promise<void> {
  expect(await kubelet.status(id)).toMatchObject(wanted);
}

function expectNoGap(numbers: readonly number[]): void {
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
}

/** The same process, which has been counting all the time. */
async function expectUndisturbed(kubelet: Kubelet, { id, pid, logPath }: KubeletContainer): Promise<void> {
  await expectState(kubelet, { id }, { state: ContainerState.CONTAINER_RUNNING });
  expect(await kubelet.pidOf(id)).toBe(pid);
  expectNoGap(numbersIn(logPath));
}

const runPodSandbox: Scenario<{ config: KubeletPod['config'] }> = {
  name: 'RunPodSandbox',
  prepare: async (kubelet) => ({ config: podConfig(kubelet.node) }),
  act: (kubelet, { config }) => kubelet.runPod(config),
  async verify(kubelet, pod) {
    const sandboxes = await sandboxesOf(kubelet, pod);
    expect(sandboxes).toMatchObject([{ state: PodSandboxState.SANDBOX_READY }]);
  },
  async cleanUp(kubelet, pod) {
    for (const { id } of await sandboxesOf(kubelet, pod)) await kubelet.removePod(id);
  },
};

const createContainer: Scenario<InPod> = {
  name: 'CreateContainer',
  prepare: async (kubelet) => ({ pod: await kubelet.runPod() }),
  act: (kubelet, { pod }) => kubelet.create(pod, {}),
  async verify(kubelet, { pod }) {
    const containers = await containersOf(kubelet, pod.id);
    expect(containers).toMatchObject([{ state: ContainerState.CONTAINER_CREATED }]);
  },
  cleanUp: removePod,
};

const startContainer: Scenario<InPod & { readonly created: Omit<KubeletContainer, 'pid'> }> = {
  name: 'StartContainer',
  async prepare(kubelet) {
    const pod = await kubelet.runPod();
    return { pod, created: await kubelet.create(pod, { command: COUNT }) };
  },
  act: (kubelet, { created }) => kubelet.startCreated(created.id),
  async verify(kubelet, { created }) {
    await eventually('it runs', () => numbersIn(created.logPath).length > 0);
    await expectState(kubelet, created, { state: ContainerState.CONTAINER_RUNNING });
    expectNoGap(numbersIn(created.logPath));
  },
  /** The kubelet makes another container then. */
  async isFinal(kubelet, { created }) {
    const { state, reason } = await kubelet.status(created.id);
    return state === ContainerState.CONTAINER_EXITED && reason === 'StartError';
  },
  cleanUp: removePod,
};

const stopContainer: Scenario<InContainer> = {
  name: 'StopContainer',
  prepare: counting,
  act: (kubelet, { container: { id: containerId } }) =>
    kubelet.ask((client) => client.stopContainer({ containerId, timeout: 20n })),
  async verify(kubelet, { container }) {
    await expectState(kubelet, container, { state: ContainerState.CONTAINER_EXITED, exitCode: 3 });
    expectNoGap(numbersIn(container.logPath));
  },
  cleanUp: removePod,
};

const killContainer: Scenario<InContainer> = {
  name: 'StopContainer, without grace',
  prepare: running,
  act: (kubelet, { container: { id: containerId } }) =>
    kubelet.ask((client) => client.stopContainer({ containerId, timeout: 0n })),
  verify: (kubelet, { container }) =>
    expectState(kubelet, container, { state: ContainerState.CONTAINER_EXITED, exitCode: 137 }),
  cleanUp: removePod,
};

const removeContainer: Scenario<InContainer> = {
  name: 'RemoveContainer',
  prepare: exited,
  act: (kubelet, { container: { id: containerId } }) =>
    kubelet.ask((client) => client.removeContainer({ containerId })),
  verify: async (kubelet, { pod }) => {
    expect(await containersOf(kubelet, pod.id)).toEqual([]);
  },
  cleanUp: removePod,
};

const stopPodSandbox: Scenario<InContainer> = {
  name: 'StopPodSandbox',
  prepare: counting,
  act: (kubelet, { pod: { id: podSandboxId } }) =>
    kubelet.ask((client) => client.stopPodSandbox({ podSandboxId })),
  async verify(kubelet, { pod, container }) {
    await expectState(kubelet, container, { state: ContainerState.CONTAINER_EXITED });
    expect(await sandboxesOf(kubelet, pod)).toMatchObject([{ state: PodSandboxState.SANDBOX_NOTREADY }]);
  },
  cleanUp: removePod,
};

const removePodSandbox: Scenario<InContainer> = {
  name: 'RemovePodSandbox',
  async prepare(kubelet) {
    const made = await running(kubelet);
    await kubelet.ask((client) => client.stopPodSandbox({ podSandboxId: made.pod.id }));
    return made;
  },
  act: (kubelet, { pod: { id: podSandboxId } }) =>
    kubelet.ask((client) => client.removePodSandbox({ podSandboxId })),
  async verify(kubelet, { pod }) {
    expect(await sandboxesOf(kubelet, pod)).toEqual([]);
    expect(await containersOf(kubelet, pod.id)).toEqual([]);
  },
  cleanUp: async () => undefined,
};

const execSync: Scenario<InContainer> = {
  name: 'ExecSync',
  prepare: running,
  act: (kubelet, { container }) => kubelet.exec(container.id),
  async verify(kubelet, { container }) {
    await expectUndisturbed(kubelet, container);
    const { id: containerId } = container;
    const { stdout } = await kubelet.ask((client) =>
      client.execSync({ containerId, cmd: ['cat', '/proc/1/comm'] }),
    );
    expect(Buffer.from(stdout).toString()).toBe('sh\n');
  },
  cleanUp: removePod,
};

const reopenContainerLog: Scenario<InContainer> = {
  name: 'ReopenContainerLog',
  async prepare(kubelet) {
    const made = await running(kubelet);
    const { logPath } = made.container;
    await eventually('it has written', () => numbersIn(logPath).length > 0);
    renameSync(logPath, `${logPath}.rotated`);
    return made;
  },
  act: (kubelet, { container: { id: containerId } }) =>
    kubelet.ask((client) => client.reopenContainerLog({ containerId })),
  async verify(_kubelet, { container: { logPath } }) {
    await eventually('it writes to the new file', () => numbersIn(logPath).length > 0);
    expectNoGap([...numbersIn(`${logPath}.rotated`), ...numbersIn(logPath)]);
  },
  cleanUp: removePod,
};

const updateContainerResources: Scenario<InContainer> = {
  name: 'UpdateContainerResources',
  prepare: running,
  act: (kubelet, { container: { id: containerId } }) =>
    kubelet.ask(async (client) => {
      const linux = { cpuShares: 512n, memoryLimitInBytes: 64n * 1024n * 1024n };
      await client.updateContainerResources({ containerId, linux });
    }),
  async verify(kubelet, { container }) {
    await expectUndisturbed(kubelet, container);
    const resources = { linux: { cpuShares: 512n, memoryLimitInBytes: 64n * 1024n * 1024n } };
    expect(await kubelet.status(container.id)).toMatchObject({ resources });
  },
  cleanUp: removePod,
};

/** @param image the name of one that a registry has */
function pullImage(image: string): Scenario<Stored> {
  return {
    name: 'PullImage',
    prepare: async (kubelet) => stored(kubelet),
    act: (kubelet) => kubelet.ask((client) => client.pullImage({ image: { image } })),
    async verify(kubelet) {
      const answer = await kubelet.ask((client) => client.imageStatus({ image: { image } }));
      expect(answer.image?.repoTags).toEqual([image]);
      const pod = await kubelet.runPod();
      const container = await kubelet.start(pod, { image, command: ['/bin/cat', '/etc/greeting'] });
      await eventually('it ends', async () => (await kubelet.status(container.id)).finishedAt > 0n);
      await expectState(kubelet, container, { exitCode: 0 });
      await kubelet.removePod(pod.id);
    },
    cleanUp: (kubelet, before) => removeAndExpect(kubelet, image, before),
  };
}

function removeImage(image: string): Scenario<Stored> {
  return {
    name: 'RemoveImage',
    async prepare(kubelet) {
      const before = stored(kubelet);
      await kubelet.ask((client) => client.pullImage({ image: { image } }));
      return before;
    },
    act: (kubelet) => kubelet.ask((client) => client.removeImage({ image: { image } })),
    async verify(kubelet) {
      const answer = await kubelet.ask((client) => client.imageStatus({ image: { image } }));
      expect(answer.image).toBeUndefined();
    },
    async cleanUp(kubelet, before) {
      // layers of an image that a crash has half removed wait for the next pull, and go with the next removal
      await kubelet.ask((client) => client.pullImage({ image: { image } }));
      await removeAndExpect(kubelet, image, before);
    },
  };
}

/** @param archive holds `image` */
function loadImages(archive: string, image: string): Scenario<Stored> {
  return {
    name: 'LoadImages',
    prepare: async (kubelet) => stored(kubelet),
    act: (kubelet) => kubelet.ask(() => kubelet.node.davit.loadImages({ path: archive })),
    async verify(kubelet) {
      const answer = await kubelet.ask((client) => client.imageStatus({ image: { image } }));
      expect(answer.image?.repoTags).toEqual([image]);
    },
    cleanUp: (kubelet, before) => removeAndExpect(kubelet, image, before),
  };
}

/** What there is on disk of images. */
type Stored = readonly string[];

function stored({ node: { place } }: Kubelet): Stored {
  return ['layers', 'ingest'].flatMap((dir) =>
    readdirSync(join(place.root, dir)).map((name) => join(dir, name)),
  );
}

async function removeAndExpect(kubelet: Kubelet, image: string, before: Stored): Promise<void> {
  await kubelet.ask((client) => client.removeImage({ image: { image } }));
  await expectStored(kubelet, before);
}

/** Layers are deleted in the background; what was on its way out before may be gone by now. */
async function expectStored(kubelet: Kubelet, before: Stored): Promise<void> {
  const added = () => stored(kubelet).filter((path) => !before.includes(path));
  await eventually('nothing is left of the image', () => added().length === 0).catch(() => {
    expect(added()).toEqual([]);
  });
}

/** @param images names in a registry, and an archive, of one that is not the tests' own */
export function scenarios(images: { pulled: string; archive: string; loaded: string }): Scenario<never>[] {
  return [
    runPodSandbox,
    createContainer,
    startContainer,
    stopContainer,
    killContainer,
    removeContainer,
    stopPodSandbox,
    removePodSandbox,
    execSync,
    reopenContainerLog,
    updateContainerResources,
    pullImage(images.pulled),
    removeImage(images.pulled),
    loadImages(images.archive, images.loaded),
  ] as Scenario<never>[];
}
