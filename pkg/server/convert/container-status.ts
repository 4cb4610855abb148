// A container as the CRI shows it.

import {
  ContainerState,
  MountPropagation,
  Signal,
  type ContainerInit,
  type ContainerStatusInit,
  type MountInit,
} from '../../../api/cri/generated/types.ts';
import type { Container, ContainerMount, Propagation } from '../../container/container.ts';
import type { ContainerPhase, Exited } from '../../container/phase.ts';
import { fromResources } from './resources.ts';
import { fromUserNamespace } from './user-namespace.ts';

/** One that is being created is nobody's business yet. */
export function isVisible({ state }: Container): boolean {
  return state.phase !== 'creating';
}

const STATES: Readonly<Record<ContainerPhase, ContainerState>> = {
  creating: ContainerState.CONTAINER_UNKNOWN,
  created: ContainerState.CONTAINER_CREATED,
  starting: ContainerState.CONTAINER_CREATED,
  running: ContainerState.CONTAINER_RUNNING,
  stopping: ContainerState.CONTAINER_RUNNING,
  exited: ContainerState.CONTAINER_EXITED,
  lost: ContainerState.CONTAINER_UNKNOWN,
  removing: ContainerState.CONTAINER_EXITED,
};

export function toContainerState({ state }: Container): ContainerState {
  return STATES[state.phase];
}

export function toContainer(container: Container): ContainerInit {
  const { id, sandboxId, metadata, image, labels, annotations, createdAtNs } = container;
  return {
    id,
    podSandboxId: sandboxId,
    metadata,
    image: { image: image.name, userSpecifiedImage: image.userSpecified },
    imageRef: image.id,
    imageId: image.id,
    state: toContainerState(container),
    createdAt: createdAtNs,
    labels,
    annotations,
  };
}

export function toContainerStatus(container: Container): ContainerStatusInit {
  const { podSandboxId: _, ...shown } = toContainer(container);
  const { mounts, logPath, resources, user, stopSignal } = container;
  const linuxUser = user && {
    uid: BigInt(user.uid),
    gid: BigInt(user.gid),
    supplementalGroups: user.supplementalGroups.map(BigInt),
  };
  return {
    ...shown,
    ...toTimes(container),
    mounts: mounts.map(toMount),
    logPath,
    resources: resources && { linux: fromResources(resources) },
    user: linuxUser && { linux: linuxUser },
    stopSignal: toSignal(stopSignal),
  };
}

function toTimes({
  state,
}: Container): Pick<ContainerStatusInit, 'startedAt' | 'finishedAt' | 'exitCode' | 'reason' | 'message'> {
  const end = endOf(state);
  if (end !== undefined) {
    const { startedAtNs, finishedAtNs, exitCode, reason, message } = end;
    return { startedAt: startedAtNs, finishedAt: finishedAtNs, exitCode, reason, message };
  }
  if (state.phase === 'running' || state.phase === 'stopping') return { startedAt: state.startedAtNs };
  if (state.phase !== 'lost') return {};
  return { reason: 'RuntimeSilent', message: 'the runtime did not answer when it was asked to start it' };
}

function endOf(state: Container['state']): Exited | undefined {
  if (state.phase === 'exited') return state;
  return state.phase === 'removing' ? state.last : undefined;
}

const PROPAGATIONS: Readonly<Record<Propagation, MountPropagation>> = {
  private: MountPropagation.PROPAGATION_PRIVATE,
  host_to_container: MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  bidirectional: MountPropagation.PROPAGATION_BIDIRECTIONAL,
};

function toMount({ image, idMapping, options, ...asked }: ContainerMount): MountInit {
  const propagation = PROPAGATIONS[asked.propagation];
  const mount = { ...asked, ...toMappings(idMapping), mountOptions: options };
  if (image === undefined) return { ...mount, propagation };
  const { name, userSpecified, id, subPath } = image;
  return {
    ...mount,
    propagation,
    image: { image: name, userSpecifiedImage: userSpecified, imageRef: id },
    imageSubPath: subPath,
  };
}

function toMappings(idMapping: ContainerMount['idMapping']): Pick<MountInit, 'uidMappings' | 'gidMappings'> {
  if (idMapping === undefined) return {};
  const { uids: uidMappings, gids: gidMappings } = fromUserNamespace(idMapping);
  return { uidMappings, gidMappings };
}

/** `SIGRTMIN+3` is SIGNAL_SIGRTMINPLUS3 on the wire. */
function toSignal(name: string): number {
  const wireName = `SIGNAL_${name.replace('+', 'PLUS').replace('-', 'MINUS')}`;
  return Object.entries(Signal).find(([key]) => key === wireName)?.[1] ?? Signal.SIGNAL_RUNTIME_DEFAULT;
}
