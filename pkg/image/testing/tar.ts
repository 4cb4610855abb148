// Tars made in memory: exactly the entries one asks for, also such as no tool would write.

const BLOCK = 512;
const DEFAULT_MTIME = 1_700_000_000;

const TYPES = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const;

/** One entry. Without a kind it is a file, or a directory if its name ends in a slash. */
export interface TarFile {
  readonly name: string;
  readonly kind?: keyof typeof TYPES;
  readonly content?: string | Buffer;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Seconds. */
  readonly mtime?: number;
  readonly linkName?: string;
  readonly device?: readonly [major: number, minor: number];
  /** Records of an extended header before it: `{ 'SCHILY.xattr.user.a': 'b' }`. Latin-1. */
  readonly pax?: Readonly<Record<string, string>>;
  /** The type character, instead of the one of `kind`. */
  readonly rawType?: string;
}

/** A whole tar, with the two blocks of zeros at its end. */
export function buildTar(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.map(encodeFile), Buffer.alloc(2 * BLOCK)]);
}

function encodeFile(file: TarFile): Buffer {
  const kind = file.kind ?? (file.name.endsWith('/') ? 'directory' : 'file');
  const content = Buffer.from(file.content ?? '');
  const pax: Record<string, string> = { ...file.pax };
  if (Buffer.byteLength(file.name) > 100) pax['path'] ??= Buffer.from(file.name).toString('latin1');
  if (Buffer.byteLength(file.linkName ?? '') > 100) {
    pax['linkpath'] ??= Buffer.from(file.linkName ?? '').toString('latin1');
  }
  const head = encodeHeader({ ...file, kind }, content.length);
  return Buffer.concat([...encodePax(pax), head, padded(content)]);
}

function encodePax(records: Readonly<Record<string, string>>): Buffer[] {
  const text = Object.entries(records).map(([key, value]) => encodeRecord(`${key}=${value}`));
  if (text.length === 0) return [];
  const data = Buffer.from(text.join(''), 'latin1');
  return [encodeHeader({ name: 'PaxHeaders/entry', kind: 'file', rawType: 'x' }, data.length), padded(data)];
}

/** The length counts itself. */
function encodeRecord(record: string): string {
  let length = record.length + 2;
  while (`${length} ${record}\n`.length !== length) length = `${length} ${record}\n`.length;
  return `${length} ${record}\n`;
}

function encodeHeader(file: TarFile & { kind: keyof typeof TYPES }, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, offset: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
  Buffer.from(file.name).copy(block, 0, 0, 100);
  const { mode = file.kind === 'directory' ? 0o755 : 0o644, uid = 0, gid = 0, mtime = DEFAULT_MTIME } = file;
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  block.write(file.rawType ?? TYPES[file.kind], 156, 'latin1');
  Buffer.from(file.linkName ?? '').copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  const [major, minor] = file.device ?? [0, 0];
  octal(major, 329, 8);
  octal(minor, 337, 8);
  return withChecksum(block);
}

/** Writes the checksum that the block needs after it was changed. */
export function withChecksum(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

export function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}
