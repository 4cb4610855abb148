// Opens a LevelDB whatever has become of its files: as it is, repaired, or anew beside what is left of it. What is
// lost with it comes back from the copies of the records.

import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Level } from 'level';
import type { Log } from '../base/call.ts';
import { Fault } from '../base/fault.ts';
import { ensureDirectory, syncFs } from '../sys/files.ts';
import { isErrno } from '../sys/errno.ts';

export type { Level } from 'level';

/** On Node, `level` is classic-level, which has more than the types of `level` say. */
const { repair } = Level as unknown as { repair: (dir: string) => Promise<void> };

/** How many databases that could not be repaired are kept, for whoever wants to know why. */
const BROKEN_KEPT = 2;

/**
 * @throws {Fault} failed_precondition — another process has it open
 * @throws what no other database would help against: a disk that is full or must not be written
 */
export async function openLevel(dir: string, log?: Log): Promise<Level> {
  try {
    await ensureExists(dir);
    return await openWhole(dir);
  } catch (error) {
    expectDamage(dir, error);
    log?.error({ dir, err: error }, 'database is damaged');
  }
  try {
    await repair(dir);
    const level = await openWhole(dir);
    log?.warn({ dir }, 'database is repaired; what it has lost comes from copies');
    return level;
  } catch (error) {
    expectDamage(dir, error);
    const aside = await setAside(dir);
    log?.error({ dir, aside, err: error }, 'database cannot be repaired: a new one is begun from copies');
  }
  await ensureExists(dir);
  return await openWhole(dir);
}

/** Opens it and reads it through: damage in the middle of a file shows only then. */
async function openWhole(dir: string): Promise<Level> {
  const level = new Level(dir, { keyEncoding: 'utf8', valueEncoding: 'utf8', createIfMissing: false });
  await level.open();
  try {
    for await (const _ of level.iterator({ fillCache: false }));
    return level;
  } catch (error) {
    await level.close();
    throw error;
  }
}

/**
 * LevelDB does not write out what a new database begins with: if the power fails then, it cannot be opened ever
 * again. So a new one is made beside its place, and moved there when it is on disk.
 */
async function ensureExists(dir: string): Promise<void> {
  await ensureDirectory(dir, 0o700);
  if ((await readdir(dir)).length > 0) return;
  const unfinished = `${dir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  const level = new Level(unfinished);
  await level.open();
  await level.close();
  await syncFs(unfinished);
  await rename(unfinished, dir);
}

/** What is no fault of the files: with others it would be the same. LevelDB has the words of strerror(3). */
const NOT_DAMAGE =
  /No space left on device|Disk quota exceeded|Too many open files|Cannot allocate memory|Read-only file system|Permission denied|Operation not permitted/;

function expectDamage(dir: string, error: unknown): void {
  if (error instanceof Error && codeOf(error.cause) === 'LEVEL_LOCKED')
    throw new Fault('failed_precondition', `another process uses "${dir}"`, {
      detail: { dir },
      cause: error,
    });
  if (isErrno(error, 'ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'EROFS', 'EACCES', 'EPERM')) throw error;
  if (NOT_DAMAGE.test(messagesOf(error))) throw error;
}

/** @returns where it lies now */
async function setAside(dir: string): Promise<string> {
  const prefix = `${basename(dir)}.broken-`;
  const aside = join(dirname(dir), `${prefix}${new Date().toISOString().replaceAll(':', '')}`);
  await rename(dir, aside);
  const kept = (await readdir(dirname(dir))).filter((name) => name.startsWith(prefix)).sort();
  for (const name of kept.slice(0, -BROKEN_KEPT))
    await rm(join(dirname(dir), name), { recursive: true, force: true });
  return aside;
}

/** Of an error and its causes: LevelDB's own words stand in the innermost. */
export function messagesOf(error: unknown): string {
  return error instanceof Error ? `${error.message}\n${messagesOf(error.cause)}` : '';
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
