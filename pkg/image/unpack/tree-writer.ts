// Makes the files that a tar lists, in the form that overlayfs wants of a layer. It works at the root of its
// thread, which must be confined to the layer's directory; every call is synchronous, since others run elsewhere.

import * as fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { isErrno } from '../../sys/errno.ts';
import { deviceNumber, mknod } from '../../sys/libc/file.ts';
import { setAttributes, setFileAttributes, setOpaque, setTimes } from './attributes.ts';
import { parentOf, toBytes, toMarker, toParts, toPath, type Marker } from './entry-path.ts';
import { describeFile } from './inventory-entry.ts';
import { describeImplied, describeWhole, inventoryOf } from './inventory-tree.ts';
import type { InventoryWriter } from './inventory-writer.ts';
import type { TarEntry } from './tar-entry.ts';
import { badEntry } from './tar-fault.ts';
import type { TarSink } from './tar-reader.ts';

const { S_IFBLK, S_IFCHR, S_IFIFO, O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = fs.constants;
const IMPLIED_DIRECTORY_MODE = 0o755;
const DISK_BLOCK_BYTES = 4096;
const MAX_LINKS_FOLLOWED = 40;

/** What has been written. */
export interface TreeSummary {
  readonly entries: number;
  /** As `du` would count them, near enough. */
  readonly diskBytes: number;
  readonly inodes: number;
  /** Directories that the tar uses and does not list: theirs are the attributes of the layers below. */
  readonly impliedDirectories: readonly string[];
  /** Digest of the inventory. */
  readonly inventory: string;
}

export class TreeWriter implements TarSink {
  /** Directories known to be there, by the path they were reached by. */
  readonly #known = new Set<string>(['/']);
  readonly #implied = new Set<string>(['/']);
  /** Set last, since every entry in a directory changes its time. */
  readonly #directoryTimes = new Map<string, bigint>();
  #open: { readonly fd: number; readonly path: string; readonly entry: TarEntry } | undefined;
  /** Of what the open file has so far. */
  #crc = 0;
  readonly #inventory: InventoryWriter;
  /** Whether something made way for a later entry: the inventory is of no use then. */
  #isReplaced = false;
  #entries = 0;
  #diskBytes = 0;
  #inodes = 1;

  constructor(inventory: InventoryWriter) {
    this.#inventory = inventory;
  }

  get entries(): number {
    return this.#entries;
  }

  begin(entry: TarEntry): void {
    this.#entries += 1;
    try {
      const parts = toParts(entry.name);
      const marker = toMarker(parts);
      if (marker.kind === 'none') this.#make(toPath(parts), entry);
      else this.#mark(marker);
    } catch (error) {
      throw this.#explain(entry.name, error);
    }
  }

  data(piece: Buffer): void {
    if (this.#open === undefined) return; // the data of a whiteout
    this.#crc = crc32(piece, this.#crc);
    try {
      for (let rest = piece; rest.length > 0;) rest = rest.subarray(fs.writeSync(this.#open.fd, rest));
    } catch (error) {
      throw this.#explain(this.#open.path, error);
    }
  }

  end(): void {
    if (this.#open === undefined) return;
    const { fd, path, entry } = this.#open;
    this.#open = undefined;
    try {
      setFileAttributes(fd, path, entry);
      fs.closeSync(fd);
      setTimes(path, entry.mtimeNs);
      this.#note(path, entry, this.#crc);
    } catch (error) {
      throw this.#explain(path, error);
    }
  }

  /** Sets what had to wait until everything is there. */
  finish(): TreeSummary {
    for (const [path, mtimeNs] of this.#directoryTimes) setTimes(path, mtimeNs);
    this.#finishInventory();
    const inventory = this.#inventory.finish();
    return {
      entries: this.#entries,
      diskBytes: this.#diskBytes + toDiskBytes(this.#inventory.bytes),
      inodes: this.#inodes + 1,
      impliedDirectories: [...this.#implied],
      inventory,
    };
  }

  #finishInventory(): void {
    if (this.#isReplaced) {
      this.#inventory.clear();
      for (const entry of inventoryOf(this.#implied)) this.#inventory.add(entry);
      return;
    }
    for (const path of this.#directoryTimes.keys()) this.#inventory.add(describeWhole(path));
    for (const path of this.#implied) this.#inventory.add(describeImplied(path));
  }

  #note(path: string, { xattrs }: Pick<TarEntry, 'xattrs'>, crc?: number): void {
    if (this.#isReplaced) return;
    this.#inventory.add(describeFile(path, { crc, xattrs: xattrs.map(([name]) => name) }));
  }

  #make(path: string, entry: TarEntry): void {
    if (path === '/') {
      if (entry.kind === 'directory') this.#listDirectory(path, entry);
      return;
    }
    this.#ensureDirectory(parentOf(path));
    switch (entry.kind) {
      case 'directory':
        this.#makeDirectory(path, entry);
        return;
      case 'file':
        this.#openFile(path, entry);
        return;
      case 'hardlink':
        this.#link(toPath(toParts(entry.linkName)), path);
        return;
      case 'symlink':
        this.#clear(path);
        fs.symlinkSync(toBytes(entry.linkName), toBytes(path));
        this.#made(path, entry);
        return;
      case 'character':
      case 'block':
      case 'fifo':
        this.#clear(path);
        makeDevice(path, entry);
        this.#made(path, entry);
    }
  }

  #link(target: string, path: string): void {
    this.#clear(path);
    fs.linkSync(toBytes(target), toBytes(path));
    this.#inventory.add({ path, sameAs: target });
  }

  #made(path: string, entry: TarEntry): void {
    this.#inodes += 1;
    setAttributes(path, entry.kind === 'symlink', entry);
    this.#note(path, entry);
  }

  #openFile(path: string, entry: TarEntry): void {
    const flags = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW;
    let fd: number;
    try {
      fd = fs.openSync(toBytes(path), flags, 0o600);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      this.#clear(path);
      fd = fs.openSync(toBytes(path), flags, 0o600);
    }
    this.#open = { fd, path, entry };
    this.#crc = 0;
    this.#inodes += 1;
    this.#diskBytes += toDiskBytes(entry.sizeBytes);
  }

  #makeDirectory(path: string, entry: TarEntry): void {
    const there = lstat(path);
    if (there !== undefined && isWhiteout(there)) this.#replaceWhiteout(path);
    else if (there?.isDirectory() !== true) {
      this.#clear(path);
      this.#mkdir(path);
    }
    this.#listDirectory(path, entry);
  }

  #listDirectory(path: string, entry: TarEntry): void {
    setAttributes(path, false, entry);
    this.#directoryTimes.set(path, entry.mtimeNs);
    this.#implied.delete(path);
    this.#known.add(path);
  }

  /** The directory, and those above it, also where a symbolic link leads to one that is not yet there. */
  #ensureDirectory(path: string, followed = 0): void {
    if (this.#known.has(path)) return;
    if (followed > MAX_LINKS_FOLLOWED) throw badEntry(path, 'too many symbolic links');
    this.#ensureDirectory(parentOf(path), followed);
    const there = lstat(path);
    if (there?.isSymbolicLink() === true) this.#ensureTarget(path, followed);
    else if (there === undefined) this.#implyDirectory(path);
    else if (isWhiteout(there)) this.#replaceWhiteout(path);
    else if (!there.isDirectory()) throw badEntry(path, 'it is used as a directory, and is none');
    this.#known.add(path);
  }

  #implyDirectory(path: string): void {
    this.#mkdir(path);
    this.#implied.add(path);
  }

  /** What it hid stays hidden. */
  #replaceWhiteout(path: string): void {
    this.#clear(path);
    this.#mkdir(path);
    setOpaque(path);
  }

  #ensureTarget(link: string, followed: number): void {
    const target = fs.readlinkSync(toBytes(link), 'latin1');
    const from = target.startsWith('/') ? '' : `${parentOf(link)}/`;
    this.#ensureDirectory(toPath(toParts(from + target)), followed + 1);
    if (!fs.statSync(toBytes(link)).isDirectory()) throw badEntry(link, 'it leads to no directory');
  }

  #mkdir(path: string): void {
    fs.mkdirSync(toBytes(path), IMPLIED_DIRECTORY_MODE);
    fs.chmodSync(toBytes(path), IMPLIED_DIRECTORY_MODE); // whatever the umask
    this.#inodes += 1;
    this.#diskBytes += DISK_BLOCK_BYTES;
  }

  /** What an earlier entry put there makes way. */
  #clear(path: string): void {
    const there = lstat(path);
    if (there === undefined) return;
    this.#isReplaced = true;
    if (!there.isDirectory()) fs.unlinkSync(toBytes(path));
    else fs.rmSync(toBytes(path), { recursive: true });
    this.#known.clear(); // it may have been a link that others were reached by
    this.#known.add('/');
    for (const known of [...this.#directoryTimes.keys(), ...this.#implied]) {
      if (known !== path && !known.startsWith(`${path}/`)) continue;
      this.#directoryTimes.delete(known);
      this.#implied.delete(known);
    }
  }

  #mark(marker: Exclude<Marker, { kind: 'none' }>): void {
    if (marker.kind === 'ignored') return;
    if (marker.kind === 'opaque') {
      this.#ensureDirectory(marker.directory);
      setOpaque(marker.directory);
      return;
    }
    const { path } = marker;
    this.#ensureDirectory(parentOf(path));
    const there = lstat(path);
    // It is about lower layers alone: what this layer has there stays.
    if (there?.isDirectory() === true) setOpaque(path);
    if (there !== undefined) return;
    mknod(toBytes(path), S_IFCHR, deviceNumber(0, 0));
    this.#inodes += 1;
    this.#note(path, { xattrs: [] });
  }

  #explain(name: string, error: unknown): unknown {
    if (
      !isErrno(
        error,
        'ENOENT',
        'ENOTDIR',
        'ELOOP',
        'ENAMETOOLONG',
        'EINVAL',
        'EEXIST',
        'EISDIR',
        'EPERM',
        'EMLINK',
      )
    ) {
      return error;
    }
    return badEntry(name, error instanceof Error ? error.message : String(error), 'data_loss', error);
  }
}

function toDiskBytes(sizeBytes: number): number {
  return Math.ceil(sizeBytes / DISK_BLOCK_BYTES) * DISK_BLOCK_BYTES;
}

function makeDevice(path: string, { kind, deviceMajor, deviceMinor }: TarEntry): void {
  if (kind === 'fifo') mknod(toBytes(path), S_IFIFO, 0n);
  else mknod(toBytes(path), kind === 'block' ? S_IFBLK : S_IFCHR, deviceNumber(deviceMajor, deviceMinor));
}

function lstat(path: string): fs.Stats | undefined {
  return fs.lstatSync(toBytes(path), { throwIfNoEntry: false });
}

function isWhiteout(there: fs.Stats): boolean {
  return there.isCharacterDevice() && there.rdev === 0;
}
