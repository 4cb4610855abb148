// Reads the directory of network configurations. A file that cannot be used is a problem to be reported, and
// costs the node no other file.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../base/fault.ts';
import { parseNetworkConfig, parsePluginConfig, type NetworkConfigList } from './network-config.ts';

export interface ConfigProblem {
  readonly file: string;
  readonly problem: string;
}

export interface ConfigDirectory {
  /** Of the valid files, in lexical order of their names. */
  readonly lists: readonly NetworkConfigList[];
  readonly problems: readonly ConfigProblem[];
}

/** A larger file is none of ours. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Reads every configuration; a directory that is not there has none. */
export async function readConfigDirectory(dir: string): Promise<ConfigDirectory> {
  const lists: NetworkConfigList[] = [];
  const problems: ConfigProblem[] = [];
  let names: string[] = [];
  try {
    names = await listNames(dir, ['.conflist', '.conf', '.json']);
  } catch (err) {
    problems.push({ file: dir, problem: toProblem(err) });
  }
  for (const name of names) {
    const file = join(dir, name);
    try {
      lists.push(await readNetworkConfig(dir, file));
    } catch (err) {
      problems.push({ file, problem: toProblem(err) });
    }
  }
  return { lists, problems };
}

async function readNetworkConfig(dir: string, file: string): Promise<NetworkConfigList> {
  const { loadOnlyInlinedPlugins, ...list } = parseNetworkConfig(await readBounded(file), file);
  const plugins = [...list.plugins];
  if (!loadOnlyInlinedPlugins) {
    const folder = join(dir, list.name); // the name cannot lead out of `dir`: its schema allows no "/" or ".."
    for (const name of await listNames(folder, ['.conf'])) {
      const path = join(folder, name);
      plugins.push(parsePluginConfig(await readBounded(path), path));
    }
  }
  if (plugins.length === 0) throw new Fault('invalid_argument', 'there is no plugin in it');
  return { ...list, plugins };
}

async function listNames(dir: string, endings: readonly string[]): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((err: unknown) => {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return []; // readdir() throws these
    throw err;
  });
  const names = entries.filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  return names.filter((name) => endings.some((ending) => name.endsWith(ending))).sort(byCodeUnits);
}

/** Not by locale: the order must be the same on every node. */
function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Not a pipe, which would never end, and not too much. */
async function readBounded(file: string): Promise<string> {
  const stats = await stat(file);
  if (!stats.isFile()) throw new Fault('invalid_argument', 'it is not a regular file');
  if (stats.size > MAX_FILE_BYTES) throw new Fault('invalid_argument', 'it is larger than 1 MiB');
  return await readFile(file, 'utf8');
}

function toProblem(err: unknown): string {
  return (err instanceof Error ? err.message : String(err)).replaceAll(/\s*\n\s*/g, ' ');
}

/**
 * A text that changes when something in the directory or a folder in it does: for where the kernel tells of no
 * changes.
 *
 * @param depth how many levels of folders to look into
 * @returns an empty text when there is no such directory
 */
export async function fingerprint(dir: string, depth = 1): Promise<string> {
  const names = await readdir(dir).catch(() => []);
  const marks = names.sort(byCodeUnits).map(async (name) => {
    const path = join(dir, name);
    const stats = await stat(path, { bigint: true }).catch(() => undefined);
    if (stats === undefined) return name;
    const inside = depth > 0 && stats.isDirectory() ? await fingerprint(path, depth - 1) : '';
    return `${name} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs} ${inside}`;
  });
  return (await Promise.all(marks)).join('\n');
}
