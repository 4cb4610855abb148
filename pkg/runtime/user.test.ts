import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { resolveUser } from './user.ts';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# a comment

broken:x:not-a-number:1::/:
app:x:1000:1001:App:/home/app:/bin/sh
db:x:26:26::/:/sbin/nologin
`;
const GROUP = `root:x:0:
wheel:x:10:root
audio:x:63:app,db
staff:x:50:app
broken
`;

let rootfs: string;
beforeEach(() => {
  rootfs = mkdtempSync(join(tmpdir(), 'davit-test-'));
  mkdirSync(join(rootfs, 'etc'));
  writeFileSync(join(rootfs, 'etc/passwd'), PASSWD);
  writeFileSync(join(rootfs, 'etc/group'), GROUP);
});
afterEach(() => {
  rmSync(rootfs, { recursive: true });
});

const resolve = (input: Partial<Parameters<typeof resolveUser>[0]>) =>
  resolveUser({ rootfs, imageUser: '', supplementalGroups: [], policy: 'merge', ...input });

describe('resolveUser()', () => {
  test.for([
    [{}, { uid: 0, gid: 0, additionalGids: [0, 10] }],
    [{ imageUser: 'app' }, { uid: 1000, gid: 1001, additionalGids: [1001, 63, 50] }],
    [{ imageUser: '1000' }, { uid: 1000, gid: 1001, additionalGids: [1001, 63, 50] }],
    [{ imageUser: 'app:staff' }, { uid: 1000, gid: 50, additionalGids: [50, 63] }],
    [{ imageUser: '1000:77' }, { uid: 1000, gid: 77, additionalGids: [77, 63, 50] }],
    [{ imageUser: '4242' }, { uid: 4242, gid: 0, additionalGids: [0] }],
    [{ imageUser: '4242:4343' }, { uid: 4242, gid: 4343, additionalGids: [4343] }],
    [{ imageUser: 'app:' }, { uid: 1000, gid: 1001, additionalGids: [1001, 63, 50] }],
    [
      { imageUser: 'app:staff', runAsUser: 26 },
      { uid: 26, gid: 26, additionalGids: [26, 63] },
    ],
    [
      { imageUser: 'app', runAsUser: 0 },
      { uid: 0, gid: 0, additionalGids: [0, 10] },
    ],
    [{ runAsUsername: 'db' }, { uid: 26, gid: 26, additionalGids: [26, 63] }],
    [
      { runAsUsername: 'db', runAsGroup: 7 },
      { uid: 26, gid: 7, additionalGids: [7, 63] },
    ],
    [
      { runAsUser: 4242, runAsGroup: 7 },
      { uid: 4242, gid: 7, additionalGids: [7] },
    ],
    [
      { imageUser: 'app', supplementalGroups: [63, 2000] },
      { uid: 1000, gid: 1001, additionalGids: [1001, 63, 50, 2000] },
    ],
    [
      { imageUser: 'app', supplementalGroups: [2000], policy: 'strict' },
      { uid: 1000, gid: 1001, additionalGids: [1001, 2000] },
    ],
  ] as const)('of %j is %j', async ([input, expected]) => {
    expect(await resolve(input)).toEqual(expected);
  });

  test.for([
    [{ imageUser: 'nobody' }, 'the image has no user "nobody"'],
    [{ imageUser: 'app:nogroup' }, 'the image has no group "nogroup"'],
    [{ runAsUsername: 'broken' }, 'the image has no user "broken"'],
    [{ runAsGroup: 7 }, 'group "7" is given without a user'],
    [{ imageUser: 'app', runAsGroup: 7 }, 'group "7" is given without a user'],
    [{ runAsUser: -1 }, '"-1" is not the number of a user or group'],
    [{ runAsUser: 2 ** 32 - 1 }, '"4294967295" is not the number of a user or group'],
    [{ supplementalGroups: [2 ** 32] }, '"4294967296" is not the number of a user or group'],
  ] as const)('refuses %j: %s', async ([input, message]) => {
    await expect(resolve(input)).rejects.toMatchObject({ code: 'invalid_argument', message });
  });

  test('manages without passwd and group', async () => {
    rmSync(join(rootfs, 'etc'), { recursive: true });
    expect(await resolve({ imageUser: '5:6' })).toEqual({ uid: 5, gid: 6, additionalGids: [6] });
    await expect(resolve({ imageUser: 'app' })).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test('a link leads out of the image no further than to its own root', async () => {
    rmSync(join(rootfs, 'etc/passwd'));
    writeFileSync(join(rootfs, 'users'), 'inside:x:7:7::/:\n');
    symlinkSync('../../../../users', join(rootfs, 'etc/passwd'));
    expect(await resolve({ imageUser: 'inside' })).toMatchObject({ uid: 7, gid: 7 });
  });

  test('a fifo in place of passwd is refused, not waited for', async () => {
    rmSync(join(rootfs, 'etc/passwd'));
    execFileSync('mkfifo', [join(rootfs, 'etc/passwd')]);
    await expect(resolve({ imageUser: 'app' })).rejects.toMatchObject({ code: 'failed_precondition' });
  });
});
