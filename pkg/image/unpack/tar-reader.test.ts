import { expect, test } from 'vitest';
import { buildTar, withChecksum, type TarFile } from '../testing/tar.ts';
import { parsePaxTime } from './pax.ts';
import type { TarEntry } from './tar-entry.ts';
import { TarReader } from './tar-reader.ts';

type Read = Partial<TarEntry> & { data: string };

function read(tar: Buffer, pieceBytes = tar.length): Read[] {
  const entries: (TarEntry & { data: string })[] = [];
  const reader = new TarReader({
    begin: (entry) => entries.push({ ...entry, data: '' }),
    data: (piece) => {
      const last = entries.at(-1)!;
      entries[entries.length - 1] = { ...last, data: last.data + piece.toString('latin1') };
    },
    end: () => undefined,
  });
  for (let at = 0; at < tar.length; at += pieceBytes) reader.push(tar.subarray(at, at + pieceBytes));
  reader.finish();
  return entries;
}

/** A tar with one entry whose header is changed before its checksum is written. */
function tarWith(change: (header: Buffer) => void, file: TarFile = { name: 'a' }): Buffer {
  const tar = buildTar([file]);
  change(tar.subarray(0, 512));
  withChecksum(tar.subarray(0, 512));
  return tar;
}

const files: TarFile[] = [
  { name: 'dir/', mode: 0o1777 },
  { name: 'dir/file', content: 'x'.repeat(1000), uid: 1, gid: 2, mode: 0o4755, mtime: 12 },
  { name: 'empty' },
  { name: 'link', kind: 'symlink', linkName: 'dir/file' },
  { name: 'd'.repeat(200), content: 'long', pax: { mtime: '1.000000001', 'SCHILY.xattr.user.a': 'b\0c' } },
];

test.each([1, 7, 511, 512, 513, 100_000])('a tar in pieces of %i bytes reads the same', (pieceBytes) => {
  expect(read(buildTar(files), pieceBytes)).toMatchObject([
    { kind: 'directory', name: 'dir/', mode: 0o1777, data: '' },
    { kind: 'file', uid: 1, gid: 2, mode: 0o4755, mtimeNs: 12_000_000_000n, data: 'x'.repeat(1000) },
    { kind: 'file', name: 'empty', data: '' },
    { kind: 'symlink', linkName: 'dir/file' },
    { name: 'd'.repeat(200), data: 'long', mtimeNs: 1_000_000_001n, xattrs: [['user.a', 'b\0c']] },
  ]);
});

test('long names of GNU tar overrule those in the header', () => {
  const tar = Buffer.concat([
    buildTar([{ name: '././@LongLink', rawType: 'L', content: `${'n'.repeat(300)}\0` }]).subarray(0, 1024),
    buildTar([{ name: '././@LongLink', rawType: 'K', content: `${'l'.repeat(300)}\0` }]).subarray(0, 1024),
    buildTar([{ name: 'short', kind: 'symlink', linkName: 'short' }]),
  ]);
  expect(read(tar)).toMatchObject([{ name: 'n'.repeat(300), linkName: 'l'.repeat(300) }]);
});

test('extended headers overrule size and owner', () => {
  const [entry] = read(buildTar([{ name: 'a', pax: { uid: '4000000000', gid: '7', path: 'b' } }]));
  expect(entry).toMatchObject({ name: 'b', uid: 4_000_000_000, gid: 7 });
});

test('a prefix is part of the name in POSIX tars alone', () => {
  const posix = tarWith((header) => header.write('pre', 345));
  const gnu = tarWith((header) => {
    header.write('ustar  \0', 257);
    header.write('pre', 345);
  });
  expect([read(posix)[0]?.name, read(gnu)[0]?.name]).toEqual(['pre/a', 'a']);
});

test('base-256 numbers are read, negative ones too', () => {
  const tar = tarWith((header) => {
    Buffer.from([0x80, 0, 0, 0, 0x12, 0x34, 0x56, 0x78]).copy(header, 108); // uid
    Buffer.alloc(12, 0xff).copy(header, 136); // mtime -1
  });
  expect(read(tar)[0]).toMatchObject({ uid: 0x12345678, mtimeNs: -1_000_000_000n });
});

test('a name that ends in a slash is a directory, also without a type', () => {
  expect(read(buildTar([{ name: 'd/', kind: 'file' }]))[0]?.kind).toBe('directory');
});

test('global headers and labels are passed over', () => {
  const tar = buildTar([
    { name: 'pax_global_header', rawType: 'g', content: '30 comment=0123456789abcdef\n' },
    { name: 'label', rawType: 'V' },
    { name: 'a' },
  ]);
  expect(read(tar).map(({ name }) => name)).toEqual(['a']);
});

test('data that a link is said to have is not taken for data', () => {
  const tar = tarWith((header) => header.write('00000001000\0', 124), {
    name: 'a',
    kind: 'hardlink',
    linkName: 'b',
  });
  expect(read(tar)).toMatchObject([{ sizeBytes: 0, data: '' }]);
});

test('a tar without its final zeros is whole, and one cut in the middle is not', () => {
  const tar = buildTar([{ name: 'a', content: 'x'.repeat(600) }]);
  expect(read(tar.subarray(0, -1024))).toHaveLength(1);
  for (const length of [100, 512, 600, 1024, 1300]) {
    expect(() => read(tar.subarray(0, length))).toThrow('truncated');
  }
});

test.each<[string, Buffer, string]>([
  ['a wrong checksum', Buffer.concat([buildTar([{ name: 'a' }]).fill('x', 0, 1)]), 'data_loss'],
  ['a GNU sparse file', buildTar([{ name: 'a', rawType: 'S' }]), 'unimplemented'],
  ['a PAX sparse file', buildTar([{ name: 'a', pax: { 'GNU.sparse.major': '1' } }]), 'unimplemented'],
  ['an unknown type', buildTar([{ name: 'a', rawType: 'D' }]), 'unimplemented'],
  ['a negative size', tarWith((header) => Buffer.alloc(12, 0xff).copy(header, 124)), 'data_loss'],
  [
    'a size beyond all bounds',
    tarWith((header) => Buffer.alloc(12, 0x80).fill(0x7f, 1).copy(header, 124)),
    'data_loss',
  ],
  ['a size that is no number', tarWith((header) => header.write('99999999999\0', 124)), 'data_loss'],
  ['a user id that means nobody', buildTar([{ name: 'a', pax: { uid: '4294967295' } }]), 'data_loss'],
  ['a time that is none', buildTar([{ name: 'a', pax: { mtime: 'now' } }]), 'data_loss'],
  ['a size that is negative in PAX', buildTar([{ name: 'a', pax: { size: '-1' } }]), 'data_loss'],
  ['a malformed extended header', buildTar([{ name: 'x', rawType: 'x', content: '5 ab\n' }]), 'data_loss'],
  ['a record that is too long', buildTar([{ name: 'x', rawType: 'x', content: '99 a=b\n' }]), 'data_loss'],
  [
    'an extended header without end',
    tarWith((h) => h.write('77777777777\0', 124), { name: 'x', rawType: 'x' }),
    'data_loss',
  ],
  ['noise', Buffer.alloc(2048, 0xa5), 'data_loss'],
])('%s is refused', (_, tar, code) => {
  expect(() => read(tar)).toThrow(expect.objectContaining({ code }));
});

test('parsePaxTime() keeps nanoseconds, also before 1970', () => {
  expect(parsePaxTime('-1.5')).toBe(-1_500_000_000n);
  expect(parsePaxTime('1350244992.0239601089')).toBe(1_350_244_992_023_960_108n);
});
