// Which format the database is in: what its sections are and how they hang together. Records have versions of their
// own. A database of a later format is left alone: read wrongly, it would cost what runs.

import * as z from 'zod';
import { Fault } from '../base/fault.ts';
import type { Level } from './open-level.ts';

const KEY = 'database!format';

/** Goes up when an earlier daemon would do harm to the database, and with a way from the one before. */
export const FORMAT = 1;

const schema = z.object({ v: z.int().min(1), writtenBy: z.string() });

/**
 * Notes that this version writes the database.
 *
 * @throws {Fault} failed_precondition — it is in a format that this version does not know
 */
export async function claimFormat(level: Level, dir: string, version: string): Promise<void> {
  const text = (await level.get(KEY)) as string | undefined; // the types of level know of no absence
  const found = text === undefined ? undefined : parseFormat(text);
  if (found !== undefined && found.v > FORMAT) {
    const what = `davit ${found.writtenBy} has written it in format ${found.v}, and davit ${version} knows format ${FORMAT}`;
    throw new Fault('failed_precondition', `cannot use the database "${dir}": ${what}; start that version`, {
      detail: { dir },
    });
  }
  if (found?.v === FORMAT && found.writtenBy === version) return;
  await level.put(KEY, JSON.stringify({ v: FORMAT, writtenBy: version }), { sync: true });
}

/** One that is damaged is written anew: the records speak for themselves. */
function parseFormat(text: string): z.infer<typeof schema> | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
