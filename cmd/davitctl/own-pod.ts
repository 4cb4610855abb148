// The pods that davitctl makes: what they are called, where their logs go, and how they are taken away.

import { rm } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import type { CriClient } from '../../api/cri/client.ts';
import type { PodSandbox, PodSandboxMetadata } from '../../api/cri/generated/types.ts';

/** On pods of ours: the directory that was made for their logs. */
export const LOG_DIRECTORY_ANNOTATION = 'davitctl/log-directory';

/** What Kubernetes allows in the names of pods and containers, and thus in paths. Source: RFC 1123. */
export const NAME_PATTERN = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** How the kubelet calls the directory of a pod's logs. */
export function logDirectoryName({
  name,
  namespace,
  uid,
}: Pick<PodSandboxMetadata, 'name' | 'namespace' | 'uid'>): string {
  return `${namespace}_${name}_${uid}`;
}

/** Stops and removes a pod. May be repeated. */
export async function removePod(cri: CriClient, podSandboxId: string): Promise<void> {
  await cri.stopPodSandbox({ podSandboxId });
  await cri.removePodSandbox({ podSandboxId });
}

/** Removes the log of a pod, if davitctl made the directory for it. */
export async function removeOwnLog(pod: Pick<PodSandbox, 'metadata' | 'annotations'>): Promise<void> {
  const directory = pod.annotations[LOG_DIRECTORY_ANNOTATION];
  if (directory !== undefined && isLogDirectoryOf(pod.metadata, directory)) {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Annotations may come from anyone: only a directory that is named after this very pod is removed. */
function isLogDirectoryOf(metadata: PodSandboxMetadata | undefined, directory: string): boolean {
  if (metadata === undefined || !isAbsolute(directory)) return false;
  const { name, namespace, uid } = metadata;
  const allValid = [name, namespace, uid].every((part) => NAME_PATTERN.test(part));
  return allValid && basename(directory) === logDirectoryName(metadata);
}
