// The pods and containers that cAdvisor asks for by the ids in the names of their cgroups.

import { notFound } from '../../base/fault.ts';
import type { ContainerId, SandboxId } from '../../base/id.ts';
import type { Container } from '../../container/container.ts';
import { mayExit } from '../../container/phase.ts';
import type { Sandbox } from '../../sandbox/sandbox.ts';
import type { ServerDeps } from '../deps.ts';

export interface CadvisorDeps extends Pick<ServerDeps, 'version'> {
  readonly containers: Pick<ServerDeps['containers'], 'find' | 'list'>;
  readonly sandboxes: Pick<ServerDeps['sandboxes'], 'find'>;
}

/** A pod's sandbox is a container to containerd. */
export type Subject =
  | { readonly kind: 'container'; readonly container: Container }
  | { readonly kind: 'sandbox'; readonly sandbox: Sandbox };

/** @throws {Fault} not_found */
export function getSubject({ containers, sandboxes }: CadvisorDeps, id: string): Subject {
  const container = containers.find(id as ContainerId); // any other text finds nothing
  if (container !== undefined) return { kind: 'container', container };
  const sandbox = sandboxes.find(id as SandboxId);
  if (sandbox !== undefined) return { kind: 'sandbox', sandbox };
  throw notFound('container', id);
}

/**
 * A process to look at. For a pod it is of the container that has run longest: it is in the pod's network, as all of
 * them are.
 *
 * @throws {Fault} not_found — nothing runs; cAdvisor asks again then
 */
export function getPid({ containers }: CadvisorDeps, subject: Subject): number {
  const own = subject.kind === 'container' ? [subject.container] : inPod(containers.list(), subject.sandbox);
  const [first] = own.sort((a, b) => Number(a.createdAtNs - b.createdAtNs));
  if (first !== undefined && mayExit(first.state)) return first.state.process.pid;
  throw notFound(
    'task of container',
    subject.kind === 'container' ? subject.container.id : subject.sandbox.id,
  );
}

function inPod(containers: readonly Container[], sandbox: Sandbox): Container[] {
  return containers.filter(({ sandboxId, state }) => sandboxId === sandbox.id && mayExit(state));
}
