// Reads the folders of CDI specifications. A file that cannot be used costs the node no other.

import { join } from 'node:path';
import { Fault } from '../../base/fault.ts';
import { listFiles, readSmallFile } from '../../sys/watched-folders.ts';
import { parseCdiSpec, type CdiSpec, type ContainerEdits } from './spec-file.ts';

export interface CdiProblem {
  readonly file: string;
  readonly problem: string;
}

export interface CdiDevice {
  readonly edits: ContainerEdits;
  readonly spec: { readonly path: string; readonly edits: ContainerEdits };
}

export interface CdiFolders {
  /** By qualified name. */
  readonly devices: ReadonlyMap<string, CdiDevice>;
  readonly problems: readonly CdiProblem[];
}

interface Found {
  readonly path: string;
  readonly priority: number;
  readonly spec: CdiSpec;
}

/** A device of a later folder wins over one of an earlier; in the same folder neither can be used. */
export async function readCdiFolders(folders: readonly string[]): Promise<CdiFolders> {
  const problems: CdiProblem[] = [];
  const found: Found[] = [];
  for (const [priority, folder] of folders.entries()) {
    for (const path of await pathsIn(folder, problems)) {
      try {
        found.push({ path, priority, spec: await readSpec(path) });
      } catch (error) {
        problems.push({ file: path, problem: Fault.from(error).message });
      }
    }
  }
  return { devices: merge(found, problems), problems };
}

async function pathsIn(folder: string, problems: CdiProblem[]): Promise<string[]> {
  try {
    const names = await listFiles(folder, ['.json', '.yaml']);
    return names.map((name) => join(folder, name));
  } catch (error) {
    problems.push({ file: folder, problem: Fault.from(error).message });
    return [];
  }
}

async function readSpec(path: string): Promise<CdiSpec> {
  const text = await readSmallFile(path);
  return parseCdiSpec(path.endsWith('.json') ? parseJson(text) : await parseYaml(text), `"${path}"`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Fault('invalid_argument', 'it is not JSON', { cause });
  }
}

/** The parser is loaded with the first file: most nodes have none. */
async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text);
  } catch (cause) {
    const [line = ''] = Fault.from(cause).message.split('\n');
    throw new Fault('invalid_argument', `it is not YAML: ${line}`, { cause });
  }
}

function merge(found: readonly Found[], problems: CdiProblem[]): Map<string, CdiDevice> {
  const best = new Map<string, { readonly priority: number; readonly owners: Found[] }>();
  for (const one of found) {
    for (const { name } of one.spec.devices) {
      const qualified = `${one.spec.kind}=${name}`;
      const before = best.get(qualified);
      if (before?.priority === one.priority) before.owners.push(one);
      else best.set(qualified, { priority: one.priority, owners: [one] }); // folders come in rising priority
    }
  }
  const devices = new Map<string, CdiDevice>();
  for (const [qualified, { owners }] of best) {
    const [owner, other] = owners;
    if (owner === undefined) continue;
    if (other === undefined) devices.set(qualified, toDevice(qualified, owner));
    else problems.push(...owners.map((one) => conflict(qualified, one, owners)));
  }
  return devices;
}

function conflict(qualified: string, { path }: Found, owners: readonly Found[]): CdiProblem {
  const others = owners.filter((owner) => owner.path !== path).map((owner) => `"${owner.path}"`);
  return { file: path, problem: `device "${qualified}" is in ${others.join(', ')} too: neither is used` };
}

function toDevice(qualified: string, { path, spec }: Found): CdiDevice {
  const edits = spec.devices.find(({ name }) => `${spec.kind}=${name}` === qualified)?.containerEdits ?? {};
  return { edits, spec: { path, edits: spec.containerEdits ?? {} } };
}
