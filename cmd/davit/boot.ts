// Whether the machine was started anew since the daemon last ran: then no process of before is left, whatever
// has its pid now.

import { readFile } from 'node:fs/promises';
import type { Database } from '../../pkg/store/database.ts';

const SECTION = 'node';
const KEY = 'bootId';

export interface Boot {
  /** Whether processes of an earlier daemon may still be there. */
  readonly isSame: boolean;
  /** Notes this boot for the next time, once all records are in line with it. */
  remember(): Promise<void>;
}

/** Source: random(4) on boot_id. */
export async function findBoot(db: Database): Promise<Boot> {
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const entry = (await db.entries(SECTION)).find(([key]) => key === KEY);
  const before: unknown = entry === undefined ? undefined : JSON.parse(entry[1]);
  return {
    isSame: before === undefined || before === bootId,
    remember: async () => {
      if (before !== bootId) await db.commit(db.put(SECTION, KEY, bootId));
    },
  };
}
