// Names of cgroups that tests make.

import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';

/** `/davit-aBcDeF-1f2e3d4c`: one that nobody else has, and that shows which file of tests it is of. */
export function cgroupOfItsOwn(): string {
  return `/${basename(tmpdir())}-${randomBytes(4).toString('hex')}`;
}
