// CRI's namespace modes, which mean something else for each namespace.

import { NamespaceMode, namespaceModeName, type NamespaceOption } from '../../../api/cri/generated/types.ts';
import type { ContainerPidMode } from '../../pod/container-config.ts';
import type { IpcMode, NetworkMode, PidMode } from '../../sandbox/sandbox.ts';
import type { IdMapping } from '../../sys/user-namespace.ts';
import { refuse } from './field.ts';
import { toUserNamespace } from './user-namespace.ts';

const AT = 'config.linux.security_context.namespace_options';

export interface PodNamespaces {
  readonly userNamespace: IdMapping | undefined;
  readonly network: NetworkMode;
  readonly ipc: IpcMode;
  readonly pid: PidMode;
}

/** @throws {Fault} invalid_argument — a mode that a pod cannot have */
export function toPodNamespaces(options: NamespaceOption | undefined): PodNamespaces {
  const userNamespace = toUserNamespace(options?.usernsOptions, AT);
  if (userNamespace !== undefined) refuseNodeNamespaces(options);
  return {
    userNamespace,
    network: podOrNode(options?.network, 'network'),
    ipc: podOrNode(options?.ipc, 'ipc'),
    pid: toPodPidMode(options?.pid),
  };
}

/** @throws {Fault} invalid_argument — a mode that a container cannot have */
export function toContainerPidMode(options: NamespaceOption | undefined): ContainerPidMode {
  if (options === undefined) return { kind: 'pod' };
  switch (options.pid) {
    case NamespaceMode.POD:
      return { kind: 'pod' };
    case NamespaceMode.CONTAINER:
      return { kind: 'container' };
    case NamespaceMode.NODE:
      return { kind: 'node' };
    case NamespaceMode.TARGET:
      return { kind: 'target', containerId: options.targetId };
    default:
      throw unknownMode('pid', options.pid);
  }
}

function podOrNode(mode: number | undefined, name: string): 'pod' | 'node' {
  if (mode === undefined || mode === NamespaceMode.POD) return 'pod';
  if (mode === NamespaceMode.NODE) return 'node';
  throw unknownMode(name, mode);
}

function toPodPidMode(mode: number | undefined): PidMode {
  switch (mode) {
    case undefined:
    case NamespaceMode.POD:
      return 'pod';
    case NamespaceMode.CONTAINER:
      return 'container';
    case NamespaceMode.NODE:
      return 'node';
    default:
      throw unknownMode('pid', mode);
  }
}

/** Root of a user namespace could mount neither /proc nor /dev/mqueue of the node's. */
function refuseNodeNamespaces(options: NamespaceOption | undefined): void {
  for (const name of ['pid', 'ipc'] as const) {
    if (options?.[name] === NamespaceMode.NODE)
      throw refuse(`${AT}.${name}`, 'NODE', 'is not possible together with userns_options.mode "POD"');
  }
}

function unknownMode(name: string, mode: number): Error {
  return refuse(`${AT}.${name}`, namespaceModeName(mode), 'is not possible here');
}
