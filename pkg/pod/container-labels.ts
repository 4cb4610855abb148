// The SELinux labels of a container, and which files get them.

import { isConfined, type SelinuxLabels } from '../runtime/selinux/context.ts';
import type { RelabelOrder } from '../runtime/selinux/relabel/relabel-worker.ts';
import type { Selinux } from '../runtime/selinux/selinux.ts';
import type { Ingredients } from './ingredients.ts';
import type { HostMount } from './container-mounts.ts';

/** What the container asks for wins over what its pod asks for, part by part. */
export async function labelsOf(
  selinux: Pick<Selinux, 'forContainer'>,
  { container, sandbox, config: { security } }: Ingredients,
): Promise<SelinuxLabels | undefined> {
  const { config: pod, selinux: ofPod } = sandbox;
  const seesPids = pod.pid === 'node' && !container.ownPidNamespace && security.pid.kind !== 'target';
  return await selinux.forContainer(ofPod, {
    asked: { ...pod.selinux, ...security.selinux },
    privileged: security.privileged,
    seesNode: seesPids || pod.ipc === 'node',
  });
}

/**
 * Nothing, for a container that no label keeps from anything: one that is kept out relabels for itself.
 *
 * @param volumes directories that were made for this container
 */
export function toRelabelOrder(
  labels: SelinuxLabels | undefined,
  mounts: readonly HostMount[],
  volumes: readonly (string | undefined)[],
): RelabelOrder {
  if (labels === undefined || !isConfined(labels)) return { paths: [], label: '' };
  const asked = mounts.flatMap(({ relabel = false, original, source }) =>
    relabel ? [original ?? source] : [],
  );
  return { paths: [...asked, ...volumes.filter((path) => path !== undefined)], label: labels.mount };
}
