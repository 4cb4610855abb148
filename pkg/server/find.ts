// Finds what a request names. People and crictl send the beginning of an id; one that fits several is no name.

import { notFound } from '../base/fault.ts';
import type { ContainerId, SandboxId } from '../base/id.ts';
import type { Container } from '../container/container.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Records } from './deps.ts';
import { required } from './convert/field.ts';
import * as containerStatus from './convert/container-status.ts';
import * as sandboxStatus from './convert/sandbox-status.ts';

/** @throws {Fault} not_found; invalid_argument — the id is '' */
export function getSandbox(sandboxes: Records<SandboxId, Sandbox>, id: string): Sandbox {
  const sandbox = findSandbox(sandboxes, id);
  if (sandbox === undefined || !sandboxStatus.isVisible(sandbox)) throw notFound('pod sandbox', id);
  return sandbox;
}

/** @throws {Fault} invalid_argument — the id is '' */
export function findSandbox(sandboxes: Records<SandboxId, Sandbox>, id: string): Sandbox | undefined {
  return sandboxes.findByPrefix(required(id, 'pod_sandbox_id'));
}

/** @throws {Fault} not_found; invalid_argument — the id is '' */
export function getContainer(containers: Records<ContainerId, Container>, id: string): Container {
  const container = findContainer(containers, id);
  if (container === undefined || !containerStatus.isVisible(container)) throw notFound('container', id);
  return container;
}

/** @throws {Fault} invalid_argument — the id is '' */
export function findContainer(
  containers: Records<ContainerId, Container>,
  id: string,
): Container | undefined {
  return containers.findByPrefix(required(id, 'container_id'));
}
