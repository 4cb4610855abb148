// Which pod, container or image is meant: an id, the beginning of one, or a name.

import type { CriClient } from '../../api/cri/client.ts';
import {
  ContainerState,
  PodSandboxState,
  type Container,
  type Image,
  type PodSandbox,
} from '../../api/cri/generated/types.ts';
import { Fault } from '../../pkg/base/fault.ts';
import { shortId } from './format.ts';

/** How long a question may take, in milliseconds. */
export const ASK = { timeoutMs: 20_000 } as const;

/**
 * @param text an id or the beginning of one, `NAME`, or `POD/NAME`; of several with the same name the one
 *   that runs is meant
 * @throws {Fault} not_found, or invalid_argument when it may mean several
 */
export async function getContainer(cri: CriClient, text: string): Promise<Container> {
  const container = await findContainer(cri, text);
  if (container !== undefined) return container;
  throw new Fault('not_found', `there is no container "${text}"; davitctl ps -a lists them`);
}

export async function findContainer(cri: CriClient, text: string): Promise<Container | undefined> {
  const { containers } = await cri.listContainers({}, ASK);
  const pods = text.includes('/') ? (await cri.listPodSandbox({}, ASK)).items : [];
  const podNames = new Map(pods.map((pod) => [pod.id, pod.metadata?.name ?? '']));
  return choose('container', text, containers, {
    id: ({ id }) => id,
    isNamed: ({ metadata, podSandboxId }) =>
      metadata?.name === text || `${podNames.get(podSandboxId) ?? ''}/${metadata?.name ?? ''}` === text,
    isLive: ({ state }) => state === ContainerState.CONTAINER_RUNNING,
  });
}

/** As getContainer(); a pod's name may be `NAME` or `NAMESPACE/NAME`. */
export async function getPod(cri: CriClient, text: string): Promise<PodSandbox> {
  const pod = await findPod(cri, text);
  if (pod !== undefined) return pod;
  throw new Fault('not_found', `there is no pod "${text}"; davitctl pods lists them`);
}

export async function findPod(cri: CriClient, text: string): Promise<PodSandbox | undefined> {
  const { items } = await cri.listPodSandbox({}, ASK);
  return choose('pod', text, items, {
    id: ({ id }) => id,
    isNamed: ({ metadata }) =>
      metadata?.name === text || `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}` === text,
    isLive: ({ state }) => state === PodSandboxState.SANDBOX_READY,
  });
}

/** @param text a reference, which the runtime completes, an id, or the beginning of one */
export async function findImage(cri: CriClient, text: string): Promise<Image | undefined> {
  // A runtime may refuse what is no reference; it can still be the beginning of an id.
  const known = await cri.imageStatus({ image: { image: text } }, ASK).catch(() => undefined);
  if (known?.image !== undefined) return known.image;
  const { images } = await cri.listImages({}, ASK);
  return choose('image', text.replace(/^sha256:/, ''), images, {
    id: ({ id }) => id.replace(/^sha256:/, ''),
    isNamed: () => false,
    isLive: () => false,
  });
}

interface Traits<T> {
  readonly id: (item: T) => string;
  readonly isNamed: (item: T) => boolean;
  readonly isLive: (item: T) => boolean;
}

function choose<T>(kind: string, text: string, items: readonly T[], traits: Traits<T>): T | undefined {
  const exact = items.find((item) => traits.id(item) === text);
  if (exact !== undefined || text === '') return exact;
  const named = items.filter((item) => traits.isNamed(item));
  const matches = named.length > 0 ? named : items.filter((item) => traits.id(item).startsWith(text));
  if (matches.length <= 1) return matches[0];
  const live = matches.filter((item) => traits.isLive(item));
  if (live.length === 1) return live[0];
  const ids = matches.map((item) => shortId(traits.id(item))).join(', ');
  throw new Fault('invalid_argument', `"${text}" may be any ${kind} of ${ids}; name one by its id`);
}
