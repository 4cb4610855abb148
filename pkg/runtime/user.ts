// As whom a container's process runs: what the pod says, else what the image says, else root. Names are those
// of the image's own passwd and group files.

import { Fault } from '../base/fault.ts';
import { readTextInRoot } from '../sys/files.ts';
import { isId, parseGroup, parseId, parsePasswd, type GroupEntry, type PasswdEntry } from './passwd.ts';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Begins with `gid`: a group that is only primary could be shed to get around a negative permission. */
  readonly additionalGids: readonly number[];
}

export interface UserInput {
  /** The mounted root file system, whose passwd and group are hostile. */
  readonly rootfs: string;
  /** `USER` of the image: '', `user`, `uid`, `user:group` or any mix of names and numbers. */
  readonly imageUser: string;
  readonly runAsUser?: number | undefined;
  /** '' for none. */
  readonly runAsUsername?: string | undefined;
  readonly runAsGroup?: number | undefined;
  readonly supplementalGroups: readonly number[];
  /** Whether groups that the image's group file puts the user in count, too. */
  readonly policy: 'merge' | 'strict';
}

/** What no honest passwd file exceeds. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * @throws {Fault} invalid_argument — a name is unknown to the image, a number is no id, or a group is given
 * without a user; failed_precondition — passwd or group is not a file
 */
export function resolveUser(input: UserInput): Promise<ResolvedUser> {
  return Promise.resolve().then(() => resolveUserNow(input));
}

function resolveUserNow(input: UserInput): ResolvedUser {
  const { runAsGroup, supplementalGroups, policy } = input;
  const { user, group } = chooseNames(input);
  for (const id of [runAsGroup, ...supplementalGroups]) refuseNonId(id);
  const passwd = parsePasswd(readTextInRoot(input.rootfs, '/etc/passwd', MAX_FILE_BYTES) ?? '');
  const groups = parseGroup(readTextInRoot(input.rootfs, '/etc/group', MAX_FILE_BYTES) ?? '');
  const { uid, primaryGid, name } = findUser(passwd, user);
  const gid = runAsGroup ?? (group === '' ? primaryGid : findGroup(groups, group));
  const memberships =
    policy === 'strict' || name === undefined
      ? []
      : groups.filter(({ members }) => members.includes(name)).map((entry) => entry.gid);
  return { uid, gid, additionalGids: [...new Set([gid, ...memberships, ...supplementalGroups])] };
}

/** As written; '' for what nobody says. The group of the image goes with the user of the image only. */
function chooseNames(input: UserInput): { user: string; group: string } {
  const { runAsUser, runAsUsername = '', runAsGroup, imageUser } = input;
  refuseNonId(runAsUser);
  if (runAsUser !== undefined) return { user: String(runAsUser), group: '' };
  if (runAsUsername !== '') return { user: runAsUsername, group: '' };
  if (runAsGroup !== undefined) {
    throw new Fault('invalid_argument', `group "${runAsGroup}" is given without a user`);
  }
  const [user = '', group = ''] = imageUser.split(':', 2);
  return { user, group };
}

function findUser(
  passwd: readonly PasswdEntry[],
  user: string,
): { uid: number; primaryGid: number; name: string | undefined } {
  const uid = user === '' ? 0 : parseId(user);
  const entry = passwd.find((each) => (uid === undefined ? each.name === user : each.uid === uid));
  if (entry !== undefined) return { uid: entry.uid, primaryGid: entry.gid, name: entry.name };
  if (uid !== undefined) return { uid, primaryGid: 0, name: undefined };
  throw new Fault('invalid_argument', `the image has no user "${user}"`, { detail: { user } });
}

function findGroup(groups: readonly GroupEntry[], group: string): number {
  const gid = parseId(group) ?? groups.find(({ name }) => name === group)?.gid;
  if (gid !== undefined) return gid;
  throw new Fault('invalid_argument', `the image has no group "${group}"`, { detail: { group } });
}

function refuseNonId(id: number | undefined): void {
  if (id === undefined || isId(id)) return;
  throw new Fault('invalid_argument', `"${id}" is not the number of a user or group`);
}
