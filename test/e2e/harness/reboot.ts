// The machine goes down and comes up again: what was on disk is all that there is.

import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from '../../../pkg/store/database.ts';
import { unmount } from '../../../pkg/sys/mount.ts';
import { mountsOf } from '../../../pkg/sys/testing/belongings.ts';
import { removeRules } from '../../../pkg/sys/testing/take-away.ts';
import { listCgroups, removeCgroups } from './cgroups.ts';
import { killAll } from './clean-up.ts';
import { eventually } from './eventually.ts';
import type { TestNode } from './node.ts';

/** The daemon is not started again. */
export async function reboot(node: TestNode): Promise<void> {
  const { place } = node;
  await node.kill9();
  await killAll(place);
  const mounts = mountsOf({ dirs: [place.run] });
  for (const { target } of mounts.reverse()) unmount(target); // with the last pin a network goes, too
  rmSync(place.run, { recursive: true });
  await eventually('the cgroups are gone', () => {
    removeCgroups(place);
    return listCgroups(place).length === 0;
  });
  removeRules(place.name);
  await using db = await Database.open(join(place.root, 'db'));
  await db.commit(db.put('node', 'bootId', 'of the boot before'));
}
