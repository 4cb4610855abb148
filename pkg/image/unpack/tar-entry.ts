// An entry of a tar, put together from its header and those that extend it.

import { parsePaxNumber, parsePaxTime, type PaxRecords } from './pax.ts';
import { badEntry } from './tar-fault.ts';
import type { RawHeader } from './tar-header.ts';

export type EntryKind = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** Names have one character per byte. */
export interface TarEntry {
  readonly kind: EntryKind;
  readonly name: string;
  readonly linkName: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the data that follows: 0 unless it is a file. */
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** Name and value, one character per byte. */
  readonly xattrs: readonly (readonly [name: string, value: string])[];
}

/** What comes before an entry and belongs to it. */
export interface Extensions {
  readonly pax?: PaxRecords | undefined;
  /** GNU `L`. */
  readonly longName?: string | undefined;
  /** GNU `K`. */
  readonly longLink?: string | undefined;
}

const KINDS: Readonly<Record<string, EntryKind>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file', // contiguous, of which nobody knows more than the name
};

const XATTR_PREFIX = 'SCHILY.xattr.';
const MAX_ID = 0xffff_fffe; // one more means "leave it as it is" to chown(2)

/** @throws {Fault} data_loss — its fields make no sense; unimplemented — it is of a kind that we do not take */
export function toEntry(header: RawHeader, { pax, longName, longLink }: Extensions): TarEntry {
  const value = (key: string) => {
    const found = pax?.get(key);
    return found === '' ? undefined : found; // empty: the header's holds
  };
  const number = (key: string) => {
    const found = value(key);
    return found === undefined ? undefined : parsePaxNumber(found);
  };
  const name = value('path') ?? longName ?? header.name;
  const kind = toKind(header.type, name);
  const size = number('size') ?? header.sizeBytes;
  const mtime = value('mtime');
  return {
    kind,
    name,
    linkName: value('linkpath') ?? longLink ?? header.linkName,
    mode: header.mode,
    uid: checkId(number('uid') ?? header.uid, name),
    gid: checkId(number('gid') ?? header.gid, name),
    sizeBytes: kind === 'file' ? size : 0, // the others have no data, whatever the header says
    mtimeNs: mtime === undefined ? BigInt(header.mtimeSeconds) * 1_000_000_000n : parsePaxTime(mtime),
    deviceMajor: header.deviceMajor,
    deviceMinor: header.deviceMinor,
    xattrs: toXattrs(pax),
  };
}

function toKind(type: string, name: string): EntryKind {
  const kind = KINDS[type];
  if (kind === undefined) {
    const why = type === 'S' ? 'it is a sparse file of GNU tar' : `its type is ${JSON.stringify(type)}`;
    throw badEntry(name, `${why}, which is not supported`, 'unimplemented');
  }
  return kind === 'file' && name.endsWith('/') ? 'directory' : kind; // the oldest tars have no type for it
}

function checkId(id: number, name: string): number {
  if (id < 0 || id > MAX_ID) throw badEntry(name, `${id} is no user or group id`);
  return id;
}

function toXattrs(pax: PaxRecords | undefined): TarEntry['xattrs'] {
  if (pax === undefined) return [];
  const xattrs: [string, string][] = [];
  for (const [key, value] of pax) {
    if (key.startsWith('GNU.sparse.')) {
      throw badEntry(
        pax.get('path') ?? '',
        'it is a sparse file of GNU tar, which is not supported',
        'unimplemented',
      );
    }
    if (key.startsWith(XATTR_PREFIX)) xattrs.push([key.slice(XATTR_PREFIX.length), value]);
  }
  return xattrs;
}
