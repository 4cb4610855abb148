// Which requirements of a policy are those of one image: the ones of the narrowest scope that it is in. Those of
// wider scopes do not count then.

import { dirname } from 'node:path';
import type { Reference } from '../reference.ts';
import type { Policy, Requirement } from './policy.ts';

/** What a policy is asked for. */
export interface PolicySubject {
  /** `docker` for registries, `docker-archive`, `oci-archive` */
  readonly transport: string;
  /** The narrowest first. */
  readonly scopes: readonly string[];
}

/**
 * `docker.io/library/busybox:latest`, `docker.io/library/busybox`, `docker.io/library`, `docker.io`, `*.io`.
 *
 * A tag beside a digest does not count: the digest alone says what is meant.
 * Source: containers-policy.json(5), "docker:".
 */
export function registrySubject({ registry, repository, tag, digest }: Reference): PolicySubject {
  const name = `${registry}/${repository}`;
  const own = digest === undefined ? `${name}:${tag ?? 'latest'}` : `${name}@${digest}`;
  return { transport: 'docker', scopes: [own, ...upwards(name), ...wildcards(registry)] };
}

/** Of an archive of Docker only the transport counts, of an OCI layout its path and the directories above. */
export function archiveSubject(form: 'docker' | 'oci', path: string): PolicySubject {
  if (form === 'docker') return { transport: 'docker-archive', scopes: [] };
  const scopes: string[] = [];
  for (let here = path; here !== '/' && here !== '.'; here = dirname(here)) scopes.push(here);
  return { transport: 'oci-archive', scopes };
}

export function requirementsOf(policy: Policy, { transport, scopes }: PolicySubject): readonly Requirement[] {
  const byScope = new Map(Object.entries(policy.transports[transport] ?? {}));
  const scope = [...scopes, ''].find((name) => byScope.has(name));
  return scope === undefined ? policy.default : (byScope.get(scope) ?? policy.default);
}

function upwards(name: string): string[] {
  const slash = name.lastIndexOf('/');
  return slash < 0 ? [name] : [name, ...upwards(name.slice(0, slash))];
}

/** Without its port. */
function wildcards(registry: string): string[] {
  const labels = (registry.split(':')[0] ?? '').split('.');
  return labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`);
}
