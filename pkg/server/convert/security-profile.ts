// CRI's seccomp and AppArmor profiles, of which each is asked for by a message, or by a string of old.

import { SecurityProfileProfileType, type SecurityProfile } from '../../../api/cri/generated/types.ts';
import type { ProfileChoice } from '../../runtime/security-profile.ts';
import { refuse, required } from './field.ts';

export interface ProfileFields {
  /** `config.linux.security_context.seccomp` */
  readonly field: string;
  /** The deprecated string's. */
  readonly oldField: string;
}

const LOCAL = 'localhost/';

/**
 * The message wins over the string.
 *
 * @param old `runtime/default`, `docker/default`, `unconfined`, `localhost/<path>` or ''
 * @throws {Fault} invalid_argument — a profile of the node without its name, a name without that, another type
 */
export function toProfileChoice(
  profile: SecurityProfile | undefined,
  old: string,
  { field, oldField }: ProfileFields,
): ProfileChoice {
  return profile === undefined ? parseChoice(old, oldField) : toChoice(profile, field);
}

function toChoice({ profileType, localhostRef }: SecurityProfile, field: string): ProfileChoice {
  const referenceField = `${field}.localhost_ref`;
  if (profileType === SecurityProfileProfileType.Localhost) return toLocal(localhostRef, referenceField);
  if (localhostRef !== '')
    throw refuse(referenceField, localhostRef, 'is set, but profile_type is not Localhost');
  switch (profileType) {
    case SecurityProfileProfileType.RuntimeDefault:
      return { kind: 'runtime_default' };
    case SecurityProfileProfileType.Unconfined:
      return { kind: 'unconfined' };
    default:
      throw refuse(`${field}.profile_type`, profileType, 'is not known');
  }
}

function parseChoice(text: string, field: string): ProfileChoice {
  switch (text) {
    case '':
      return { kind: 'unset' };
    case 'unconfined':
      return { kind: 'unconfined' };
    case 'runtime/default':
    case 'docker/default':
      return { kind: 'runtime_default' };
    default:
      if (text.startsWith(LOCAL)) return toLocal(text, field);
      throw refuse(field, text, 'is not a profile');
  }
}

/** Clients of old write `localhost/` before the path in the new field, too. */
function toLocal(text: string, field: string): ProfileChoice {
  const reference = required(text.startsWith(LOCAL) ? text.slice(LOCAL.length) : text, field);
  return { kind: 'localhost', reference };
}
