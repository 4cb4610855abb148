// NAME=VALUE in options, and the labels that Kubernetes gives to what it runs.

import { UsageError } from './explain.ts';

export const POD_NAME_LABEL = 'io.kubernetes.pod.name';
export const POD_NAMESPACE_LABEL = 'io.kubernetes.pod.namespace';
export const POD_UID_LABEL = 'io.kubernetes.pod.uid';
export const CONTAINER_NAME_LABEL = 'io.kubernetes.container.name';

/** @throws {UsageError} one of them has no name or no `=` */
export function parsePairs(option: string, pairs: readonly string[] = []): Record<string, string> {
  const parsed = Object.create(null) as Record<string, string>; // a label may be called __proto__
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`${option} takes NAME=VALUE, not "${pair}"`);
    parsed[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return parsed;
}
