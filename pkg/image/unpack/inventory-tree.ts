// The inventory of a tree as it lies there, for a layer whose tar replaces what it made before: what was noted on
// the way is not what is there in the end.

import * as fs from 'node:fs';
import { llistxattr } from '../../sys/libc/file.ts';
import { isOpaque } from './attributes.ts';
import { toBytes } from './entry-path.ts';
import { checksumOf, describeFile, type FileEntry, type InventoryEntry } from './inventory-entry.ts';

/** They are the machine's, not the layer's. */
const NOT_OURS = /^security\.(?:selinux|ima|evm)$/;

/** @param implied directories of which only the existence counts */
export function* inventoryOf(implied: ReadonlySet<string>): Generator<InventoryEntry> {
  const firstPaths = new Map<number, string>();
  const directories = ['/'];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    yield implied.has(directory) ? describeImplied(directory) : describeWhole(directory);
    for (const name of fs.readdirSync(toBytes(directory), 'latin1')) {
      const path = `${directory === '/' ? '' : directory}/${name}`;
      const stats = fs.lstatSync(toBytes(path));
      if (stats.isDirectory()) directories.push(path);
      else yield describeOther(path, stats, firstPaths);
    }
  }
}

/** @param firstPaths of files with several names */
function describeOther(path: string, stats: fs.Stats, firstPaths: Map<number, string>): InventoryEntry {
  const sameAs = firstPaths.get(stats.ino);
  if (sameAs !== undefined) return { path, sameAs };
  if (stats.nlink > 1) firstPaths.set(stats.ino, path);
  return describeWhole(path, stats.isFile() ? checksumOf(path) : undefined);
}

/** With all attributes that it has. */
export function describeWhole(path: string, crc?: number): FileEntry {
  const xattrs = llistxattr(toBytes(path)).filter((name) => !NOT_OURS.test(name));
  return describeFile(path, { crc, xattrs });
}

export function describeImplied(path: string): InventoryEntry {
  return { path, implied: true, isOpaque: isOpaque(path) };
}
