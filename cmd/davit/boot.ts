// Whether the machine was started anew since the daemon last ran: then no process of before is left, whatever
// has its pid now; and whether all that was written before had reached the disk.

import { readFile } from 'node:fs/promises';
import type { Database } from '../../pkg/store/database.ts';
import { syncFs } from '../../pkg/sys/files.ts';

const SECTION = 'node';
const KEY = 'bootId';
/** The boot in which the daemon was last stopped, after all it wrote was on disk; absent while it runs. */
const STOPPED_KEY = 'stoppedIn';

export interface Boot {
  readonly id: string;
  /** Whether processes of an earlier daemon may still be there. */
  readonly isSame: boolean;
  /** The boot in which the daemon ran before this, if it was stopped in it and did not die. */
  readonly endedWell: string | undefined;
  /** Notes this boot for the next time, once all records are in line with it. */
  remember(): Promise<void>;
  /** Writes out the file systems of the directories, and notes that the daemon ends here. */
  end(dirs: readonly string[]): Promise<void>;
}

/** Source: random(4) on boot_id. */
export async function findBoot(db: Database): Promise<Boot> {
  const id = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const entries = new Map(await db.entries(SECTION));
  const before = parse(entries.get(KEY));
  const stoppedIn = parse(entries.get(STOPPED_KEY));
  return {
    id,
    isSame: before === undefined || before === id,
    endedWell: stoppedIn === before ? before : undefined,
    remember: async () => {
      if (before !== id || stoppedIn !== undefined)
        await db.commit(db.put(SECTION, KEY, id), db.del(SECTION, STOPPED_KEY));
    },
    end: async (dirs) => {
      for (const dir of dirs) await syncFs(dir);
      await db.commit(db.put(SECTION, STOPPED_KEY, id));
    },
  };
}

function parse(text: string | undefined): string | undefined {
  return text === undefined ? undefined : String(JSON.parse(text));
}
