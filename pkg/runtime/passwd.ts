// The text of /etc/passwd and /etc/group. In an image both are anybody's writing: a line that makes no sense
// is passed over, as getpwnam(3) does.

export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The greatest id that is one: the next means "no change" to the kernel. Source: setreuid(2). */
const MAX_ID = 2 ** 32 - 2;

/** `name:x:1000:1000:Real Name:/home/name:/bin/sh`. Source: passwd(5). */
export function parsePasswd(text: string): PasswdEntry[] {
  return records(text).flatMap(([name, , uidText, gidText]) => {
    const [uid, gid] = [parseId(uidText), parseId(gidText)];
    return name === undefined || uid === undefined || gid === undefined ? [] : [{ name, uid, gid }];
  });
}

/** `name:x:20:member,member`. Source: group(5). */
export function parseGroup(text: string): GroupEntry[] {
  return records(text).flatMap(([name, , gidText, members = '']) => {
    const gid = parseId(gidText);
    return name === undefined || gid === undefined
      ? []
      : [{ name, gid, members: members.split(',').filter(Boolean) }];
  });
}

/** @returns `undefined` if the text is not the number of a user or group */
export function parseId(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  return isId(Number(text)) ? Number(text) : undefined;
}

export function isId(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_ID;
}

function records(text: string): string[][] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
    .filter(([name]) => name !== '');
}
