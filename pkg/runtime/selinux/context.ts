// A SELinux context, which is what everybody calls a label: `system_u:object_r:container_file_t:s0:c1,c2`.

import { Fault } from '../../base/fault.ts';

export interface SelinuxContext {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  /** `s0:c1,c2`; a policy without levels has none. */
  readonly level?: string | undefined;
}

/** What is asked for instead of ours. */
export interface SelinuxOptions {
  readonly user?: string | undefined;
  readonly role?: string | undefined;
  readonly type?: string | undefined;
  readonly level?: string | undefined;
}

/** Of a process, and of the files that it has for itself. */
export interface ConfinedLabels {
  readonly process: string;
  readonly mount: string;
}

/** Without a label of the process it is not confined. */
export type SelinuxLabels = Pick<ConfinedLabels, 'mount'> & Partial<ConfinedLabels>;

/** Whether anything is asked for. */
export function isAsked(asked: SelinuxOptions): boolean {
  return Object.values(asked).some((part) => part !== undefined);
}

/** @throws {Fault} invalid_argument — a part is missing */
export function parseContext(label: string): SelinuxContext {
  const [user = '', role = '', type = '', ...level] = label.split(':');
  if (user === '' || role === '' || type === '')
    throw new Fault('invalid_argument', `"${label}" is not a SELinux context`);
  return { user, role, type, level: level.length === 0 ? undefined : level.join(':') };
}

export function formatContext({ user, role, type, level }: SelinuxContext): string {
  return [user, role, type, ...(level === undefined ? [] : [level])].join(':');
}

/** @returns `undefined` for a label without one, and for none */
export function levelOf(label: string | undefined): string | undefined {
  return label === undefined ? undefined : parseContext(label).level;
}

/**
 * `labels` with what was asked for. Files take over user and level: role and type are those of a process.
 *
 * Source: InitLabels() of opencontainers/selinux, which containerd and CRI-O call.
 */
export function withOptions(labels: ConfinedLabels, asked: SelinuxOptions): ConfinedLabels {
  const [process, mount] = [parseContext(labels.process), parseContext(labels.mount)];
  const { user, role, type, level } = asked;
  return {
    process: formatContext({
      user: user ?? process.user,
      role: role ?? process.role,
      type: type ?? process.type,
      level: level ?? process.level,
    }),
    mount: formatContext({ ...mount, user: user ?? mount.user, level: level ?? mount.level }),
  };
}

/** Processes of this type may do what those of the node may. Source: container-selinux. */
const UNCONFINED_TYPE = 'spc_t';

/** Whether the labels of files keep the process from anything. */
export function isConfined({ process }: SelinuxLabels): boolean {
  return process !== undefined && parseContext(process).type !== UNCONFINED_TYPE;
}
