// CRI's SELinuxOption. A colon or a comma in the wrong place would make another label of it, or another mount option.

import type { SELinuxOption } from '../../../api/cri/generated/types.ts';
import type { SelinuxOptions } from '../../runtime/selinux/context.ts';
import { refuse } from './field.ts';

/** Identifiers of a policy. Source: the grammar of checkpolicy(8). */
const IDENTIFIER = /^[A-Za-z][\w.-]{0,254}$/;
/** `s0`, `s0:c1,c5.c9`, `s0-s15:c0.c1023`. */
const ONE_LEVEL = String.raw`s\d{1,4}(:c\d{1,4}(\.c\d{1,4})?(,c\d{1,4}(\.c\d{1,4})?){0,99})?`;
const LEVEL = new RegExp(`^${ONE_LEVEL}(-${ONE_LEVEL})?$`);

/**
 * Checked also where SELinux is off: what is wrong is wrong on every node.
 *
 * @returns `undefined` if nothing is asked for
 * @throws {Fault} invalid_argument — a part cannot be one of a label
 */
export function toSelinux(option: SELinuxOption | undefined, field: string): SelinuxOptions | undefined {
  const parts = {
    ...toPart('user', option?.user, IDENTIFIER, field),
    ...toPart('role', option?.role, IDENTIFIER, field),
    ...toPart('type', option?.type, IDENTIFIER, field),
    ...toPart('level', option?.level, LEVEL, field),
  };
  return Object.keys(parts).length === 0 ? undefined : parts;
}

function toPart(name: keyof SelinuxOptions, value = '', form: RegExp, field: string): SelinuxOptions {
  if (value === '') return {};
  if (!form.test(value)) throw refuse(`${field}.${name}`, value, `is not the ${name} of a SELinux label`);
  return { [name]: value };
}
