// Of which pods and containers there is something to tell: those that may have processes.

import { dirname } from 'node:path';
import type { SandboxId } from '../../base/id.ts';
import type { Container } from '../../container/container.ts';
import { mayExit } from '../../container/phase.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { StatsDeps } from './deps.ts';

export function listUsingContainers({ containers }: Pick<StatsDeps, 'containers'>): Container[] {
  return containers.list().filter(({ state }) => mayExit(state));
}

export function listUsingSandboxes({ sandboxes }: Pick<StatsDeps, 'sandboxes'>): Sandbox[] {
  return sandboxes.list().filter(({ state }) => state.phase === 'ready' || state.phase === 'stopping');
}

/** The containers of each sandbox. */
export function bySandbox(containers: readonly Container[]): Map<SandboxId, Container[]> {
  return Map.groupBy(containers, ({ sandboxId }) => sandboxId);
}

/**
 * The group that holds the groups of a pod and nothing else, if there is one. The kubelet makes one per pod and
 * names it after the pod's uid: `pod1a2b-…`, or for systemd `kubepods-pod1a2b_….slice`. A parent of another name
 * may be shared, and tells nothing about one pod.
 */
export function podGroupOf({ config, cgroupPath }: Sandbox): string | undefined {
  const { uid } = config.metadata;
  const parent = dirname(cgroupPath);
  const name = parent.split('/').at(-1) ?? '';
  const isOwn = uid !== '' && (name.includes(`pod${uid}`) || name.includes(`pod${uid.replaceAll('-', '_')}`));
  return isOwn ? parent : undefined;
}
