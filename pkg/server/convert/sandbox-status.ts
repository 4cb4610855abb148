// A sandbox as the CRI shows it.

import {
  NamespaceMode,
  PodSandboxState,
  type NamespaceOptionInit,
  type PodSandboxInit,
  type PodSandboxStatusInit,
} from '../../../api/cri/generated/types.ts';
import type { PidMode, Sandbox, SandboxConfig } from '../../sandbox/sandbox.ts';
import { fromUserNamespace } from './user-namespace.ts';

/** One that is being created is nobody's business yet. */
export function isVisible({ state }: Sandbox): boolean {
  return state.phase !== 'creating';
}

export function toSandboxState({ state }: Sandbox): PodSandboxState {
  return state.phase === 'ready' ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY;
}

export function toPodSandbox(sandbox: Sandbox): PodSandboxInit {
  const { id, config, createdAtNs } = sandbox;
  const { metadata, labels, annotations, handler } = config;
  const state = toSandboxState(sandbox);
  return { id, metadata, state, createdAt: createdAtNs, labels, annotations, runtimeHandler: handler };
}

export function toSandboxStatus(sandbox: Sandbox): PodSandboxStatusInit {
  const [primary, ...others] = ipsOf(sandbox);
  return {
    ...toPodSandbox(sandbox),
    network: { ip: primary ?? '', additionalIps: others.map((ip) => ({ ip })) },
    linux: { namespaces: { options: toNamespaceOption(sandbox.config) } },
  };
}

/** A stopped pod has given its addresses back: they may be another pod's by now. */
function ipsOf({ config, network, state }: Sandbox): readonly string[] {
  const isAttached = config.network === 'pod' && state.phase === 'ready';
  return isAttached ? (network?.ips ?? []) : [];
}

const PID_MODES: Readonly<Record<PidMode, NamespaceMode>> = {
  pod: NamespaceMode.POD,
  container: NamespaceMode.CONTAINER,
  node: NamespaceMode.NODE,
};

function toNamespaceOption({ network, ipc, pid, userNamespace }: SandboxConfig): NamespaceOptionInit {
  const mode = (own: 'pod' | 'node') => (own === 'pod' ? NamespaceMode.POD : NamespaceMode.NODE);
  return {
    network: mode(network),
    ipc: mode(ipc),
    pid: PID_MODES[pid],
    ...(userNamespace === undefined ? {} : { usernsOptions: fromUserNamespace(userNamespace) }),
  };
}
