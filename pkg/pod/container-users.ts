// What a pod with users of its own allows its containers: the same users, ids that these have, and mounts that they
// can make.

import { Fault } from '../base/fault.ts';
import type { ContainerMount, ContainerUser } from '../container/container.ts';
import type { IdmappedVolume } from '../container/idmapped-volumes.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { isSameMapping, type IdMapping } from '../sys/user-namespace.ts';
import type { ContainerConfig } from './container-config.ts';
import type { HostMount } from './container-mounts.ts';

const OPTIONS = 'config.linux.security_context.namespace_options.userns_options';

/** @throws {Fault} invalid_argument — the container or one of its mounts wants other users than the pod has */
export function checkUsers({ config: pod }: Sandbox, config: ContainerConfig): void {
  const { userNamespace } = config.security;
  if (!isSameMapping(pod.userNamespace, userNamespace))
    throw new Fault(
      'invalid_argument',
      `${OPTIONS} ${show(userNamespace)} differs from ${show(pod.userNamespace)} of the pod sandbox`,
    );
  for (const [index, mount] of config.mounts.entries())
    checkMount(mount, pod.userNamespace, `config.mounts[${index}]`);
}

function checkMount(
  { idMapping, propagation }: Pick<ContainerMount, 'idMapping' | 'propagation'>,
  users: IdMapping | undefined,
  field: string,
): void {
  if (idMapping !== undefined && !isSameMapping(idMapping, users))
    throw new Fault(
      'invalid_argument',
      `${field}.uid_mappings ${show(idMapping)} differs from ${show(users)} of the pod sandbox`,
    );
  if (users !== undefined && propagation === 'bidirectional')
    throw new Fault(
      'invalid_argument',
      `${field}.propagation "PROPAGATION_BIDIRECTIONAL" is not possible in a pod with users of its own`,
    );
}

/** @throws {Fault} invalid_argument — the pod has no such id */
export function checkIds(
  { uid, gid, supplementalGroups }: ContainerUser,
  users: IdMapping | undefined,
): void {
  if (users === undefined) return;
  const missing = [uid, gid, ...supplementalGroups].find((id) => id >= users.length);
  if (missing === undefined) return;
  throw new Fault('invalid_argument', `id "${missing}" is not among the ${users.length} that the pod has`);
}

/** What has to be mounted with its ids mapped before the container mounts it. */
export function toIdmappedVolumes(mounts: readonly HostMount[]): IdmappedVolume[] {
  return mounts.flatMap(({ original, source }) =>
    original === undefined ? [] : [{ source: original, target: source }],
  );
}

function show(users: IdMapping | undefined): string {
  return users === undefined ? '"NODE"' : `"0 ${users.hostId} ${users.length}"`;
}
