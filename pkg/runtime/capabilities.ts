// Which capabilities a container gets: a small default, what the pod adds and drops, and never more than the
// daemon has itself.

import { Fault } from '../base/fault.ts';
import { CAPABILITIES } from '../sys/capability.ts';
import type { OciCapabilities } from './oci-spec.ts';

/** What every other container manager gives, too. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** Names with or without `CAP_`, in any case, or `ALL`. */
export interface CapabilitiesInput {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  /** Given as well, and kept by a process that is not root. */
  readonly ambient: readonly string[];
}

/**
 * `ALL` counts before names: adding `ALL` and dropping one is all but that one, dropping `ALL` and adding one
 * is that one. What is named in both is dropped, and so is everything if `ALL` is.
 *
 * Nothing is inheritable but what is ambient: files with inheritable capabilities would give it to anybody.
 *
 * @param available what the daemon has; the rest cannot be given and is left out
 * @throws {Fault} invalid_argument — a name is unknown
 */
export function toOciCapabilities(
  { add, drop, ambient }: CapabilitiesInput,
  available: ReadonlySet<string>,
): OciCapabilities {
  const asked = new Set([...namesIn(add), ...namesIn(ambient)]);
  const dropped = namesIn(drop);
  const start = has(drop, ALL) ? [] : has(add, ALL) ? CAPABILITIES : DEFAULT_CAPABILITIES;
  const wanted = new Set([...start, ...asked]);
  const given = CAPABILITIES.filter((name) => wanted.has(name) && !dropped.has(name) && available.has(name));
  const kept = has(ambient, ALL) ? new Set<string>(CAPABILITIES) : namesIn(ambient);
  const passedOn = given.filter((name) => kept.has(name));
  return { bounding: given, effective: given, permitted: given, inheritable: passedOn, ambient: passedOn };
}

/** What a privileged container gets: everything that the daemon has. */
export function allCapabilities(available: ReadonlySet<string>): OciCapabilities {
  return toOciCapabilities({ add: [ALL], drop: [], ambient: [] }, available);
}

const ALL = 'ALL';
const KNOWN: ReadonlySet<string> = new Set(CAPABILITIES);

function has(names: readonly string[], name: string): boolean {
  return names.some((each) => each.toUpperCase() === name);
}

/** The names but `ALL`, as the kernel writes them: `net_admin` is `CAP_NET_ADMIN`. */
function namesIn(names: readonly string[]): ReadonlySet<string> {
  return new Set(names.filter((name) => name.toUpperCase() !== ALL).map(canonicalName));
}

function canonicalName(name: string): string {
  const upper = name.toUpperCase();
  const canonical = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (KNOWN.has(canonical)) return canonical;
  throw new Fault('invalid_argument', `unknown capability "${name}"`, { detail: { capability: name } });
}
