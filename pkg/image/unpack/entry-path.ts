// Names in a tar, as paths below its root. The thread that uses them has that root for its own, so this is
// about meaning, not safety.

import { badEntry } from './tar-fault.ts';

/** Without `.`, `..` and empty parts; the root is the empty list. `..` never leads above the root. */
export function toParts(name: string): string[] {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  if (name.includes('\0')) throw badEntry(name, 'its name contains a zero byte');
  return parts;
}

export const toPath = (parts: readonly string[]): string => `/${parts.join('/')}`;

/** The bytes of a path, for the kernel. */
export const toBytes = (path: string): Buffer => Buffer.from(path, 'latin1');

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const AUFS_METADATA = '.wh..wh.';

/** What the name of an entry says beyond itself. */
export type Marker =
  | { readonly kind: 'none' }
  /** Everything that lower layers have in the directory is gone. */
  | { readonly kind: 'opaque'; readonly directory: string }
  /** What lower layers have at `path` is gone. */
  | { readonly kind: 'whiteout'; readonly path: string }
  | { readonly kind: 'ignored' };

/** @throws {Fault} data_loss — a whiteout of nothing. Source: OCI image specification, layer, "Whiteouts". */
export function toMarker(parts: readonly string[]): Marker {
  const base = parts.at(-1) ?? '';
  if (!base.startsWith(WHITEOUT)) return { kind: 'none' };
  const parent = parts.slice(0, -1);
  if (base === OPAQUE) return { kind: 'opaque', directory: toPath(parent) };
  if (base.startsWith(AUFS_METADATA)) return { kind: 'ignored' };
  const hidden = base.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw badEntry(toPath(parts), 'it hides nothing');
  return { kind: 'whiteout', path: toPath([...parent, hidden]) };
}
