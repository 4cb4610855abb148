// Compares a layer with its inventory. It works at the root of its thread, which must be confined to the layer.

import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Fault } from '../../base/fault.ts';
import { isErrno } from '../../sys/errno.ts';
import { isOpaque } from './attributes.ts';
import { toBytes } from './entry-path.ts';
import { checksumOf, describeFile, type FileEntry, type InventoryEntry } from './inventory-entry.ts';
import { INVENTORY_ALGORITHM } from './inventory-writer.ts';

/** How closely to look: at all that stat(2) tells, or at every byte too. */
export type Depth = 'shape' | 'content';

export interface Problem {
  /** One character per byte. */
  readonly path: string;
  /** `its size is 0 and not 4711` */
  readonly what: string;
}

export interface Findings {
  readonly files: number;
  readonly bytes: number;
  readonly problemCount: number;
  /** The first of them. */
  readonly problems: readonly Problem[];
}

const MAX_PROBLEMS = 20;
const FILES_PER_TURN = 64;
const READ_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/**
 * @param fd the inventory, opened before the thread was confined
 * @param digest of the inventory, from the record of the layer
 */
export async function checkInventory(fd: number, digest: string, depth: Depth): Promise<Findings> {
  if (digestOf(fd) !== digest) return brokenInventory('is not what was written');
  const problems: Problem[] = [];
  let [files, bytes, problemCount] = [0, 0, 0];
  for (const line of linesOf(fd)) {
    const entry = JSON.parse(line) as InventoryEntry; // what was written, by its digest
    files += 1;
    if (files % FILES_PER_TURN === 0) await nextTurn(); // the thread may have been told to quit
    if ('size' in entry && depth === 'content') bytes += entry.size ?? 0;
    const what = check(entry, depth);
    if (what === undefined) continue;
    problemCount += 1;
    if (problems.length < MAX_PROBLEMS) problems.push({ path: entry.path, what });
  }
  return { files, bytes, problemCount, problems };
}

export function brokenInventory(what: string): Findings {
  return {
    files: 0,
    bytes: 0,
    problemCount: 1,
    problems: [{ path: '/', what: `the inventory of the layer ${what}` }],
  };
}

/** What a disk that lost or changed something answers; other failures say nothing about the layer. */
export const DAMAGE = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EIO', 'EUCLEAN', 'EBADMSG', 'EINVAL', 'ENXIO'] as const;

function check(entry: InventoryEntry, depth: Depth): string | undefined {
  try {
    if ('sameAs' in entry) return checkLink(entry.path, entry.sameAs);
    if ('implied' in entry) return checkImplied(entry.path, entry.isOpaque);
    return checkFile(entry, depth);
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR')) return 'it is missing';
    if (isErrno(error, ...DAMAGE)) return `it cannot be read: ${Fault.from(error).message}`;
    throw error;
  }
}

function checkLink(path: string, other: string): string | undefined {
  const isSame = fs.lstatSync(toBytes(path)).ino === fs.lstatSync(toBytes(other)).ino;
  return isSame ? undefined : `it is not the same file as ${JSON.stringify(other)}`;
}

function checkImplied(path: string, wasOpaque: boolean): string | undefined {
  if (!fs.lstatSync(toBytes(path)).isDirectory()) return 'it is no directory';
  return isOpaque(path) === wasOpaque ? undefined : 'it hides what is below, or does so no more';
}

function checkFile(expected: FileEntry, depth: Depth): string | undefined {
  const { path, crc: wanted, xattrs = {} } = expected;
  const found = describeFile(path, { xattrs: Object.keys(xattrs) });
  const differing = FIELDS.find((field) => found[field] !== expected[field]);
  if (differing !== undefined) return tell(differing, found[differing], expected[differing]);
  const { xattrs: foundXattrs = {} } = found;
  const attribute = Object.keys(xattrs).find((name) => foundXattrs[name] !== xattrs[name]);
  if (attribute !== undefined) return `its attribute ${JSON.stringify(attribute)} is another`;
  if (depth === 'shape' || wanted === undefined || checksumOf(path) === wanted) return undefined;
  return 'its content is another';
}

/** The telling ones first. */
const FIELDS = ['mode', 'size', 'target', 'device', 'uid', 'gid', 'mtimeMs'] as const;

function tell(field: (typeof FIELDS)[number], found: unknown, expected: unknown): string {
  const text = (value: unknown) => (field === 'mode' ? Number(value).toString(8) : JSON.stringify(value));
  return `its ${field === 'mtimeMs' ? 'time of change' : field} is ${text(found)} and not ${text(expected)}`;
}

function digestOf(fd: number): string {
  const hash = createHash(INVENTORY_ALGORITHM);
  for (const piece of piecesOf(fd)) hash.update(piece);
  return `${INVENTORY_ALGORITHM}:${hash.digest('hex')}`;
}

function* linesOf(fd: number): Generator<string> {
  let partial: Buffer = Buffer.alloc(0);
  for (const piece of piecesOf(fd)) {
    const joined = Buffer.concat([partial, piece]);
    let from = 0;
    for (let end = joined.indexOf(NEWLINE); end >= 0; end = joined.indexOf(NEWLINE, from)) {
      yield joined.toString('latin1', from, end);
      from = end + 1;
    }
    partial = joined.subarray(from);
  }
}

/** Each is good until the next is asked for. */
function* piecesOf(fd: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  for (let at = 0; ;) {
    const count = fs.readSync(fd, buffer, 0, READ_BYTES, at);
    if (count === 0) return;
    yield buffer.subarray(0, count);
    at += count;
  }
}
