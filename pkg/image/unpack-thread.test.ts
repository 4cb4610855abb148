import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lgetxattr, lsetxattr } from '../sys/libc/file.ts';
import { listTree } from './testing/list-tree.ts';
import { buildTar, type TarFile } from './testing/tar.ts';
import { UnpackThread } from './unpack-thread.ts';
import { DEFAULT_LIMITS } from './unpack/limits.ts';
import type { Unpacked } from './unpack/messages.ts';

const signal = new AbortController().signal;
const digest = `sha256:${'0'.repeat(64)}`;

let top: string;
let dir: string;
let layer: string;
let inventories = 0;

beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'davit-test-unpack-'));
  dir = join(top, 'dir');
  layer = join(dir, 'layer');
  mkdirSync(dir);
  mkdirSync(layer);
});
afterEach(() => {
  rmSync(top, { recursive: true });
});

/** Unpacks into `layer`. */
async function unpack(
  blob: Buffer | readonly TarFile[],
  options: { limits?: Partial<typeof DEFAULT_LIMITS>; pieceBytes?: number } = {},
): Promise<Unpacked> {
  const data = Buffer.isBuffer(blob) ? blob : buildTar(blob);
  await using thread = new UnpackThread();
  const order = {
    directory: layer,
    inventory: join(top, `inventory-${inventories++}`),
    chunks: inPieces(data, options.pieceBytes ?? 100_000),
    blobDigest: digest,
    diffId: digest,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  };
  return await thread.unpack(order, signal);
}

async function* inPieces(data: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += pieceBytes) yield data.subarray(at, at + pieceBytes);
  await Promise.resolve();
}

const sha256 = (data: Buffer) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** A directory with everything that a file system has to offer, packed by GNU tar. */
function packEverything(): Buffer {
  const source = join(dir, 'source');
  mkdirSync(join(source, 'etc/deep/er'), { recursive: true });
  mkdirSync(join(source, 'n'.repeat(90), 'm'.repeat(90)), { recursive: true });
  writeFileSync(join(source, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
  writeFileSync(join(source, 'etc/big'), Buffer.alloc(1_300_000, 'big'));
  writeFileSync(join(source, 'n'.repeat(90), 'm'.repeat(90), 'o'.repeat(90)), 'long');
  writeFileSync(Buffer.concat([Buffer.from(`${source}/`), Buffer.of(0xff, 0xfe, 0x20, 0x0a)]), 'not UTF-8');
  symlinkSync('../etc/passwd', join(source, 'etc/link'));
  symlinkSync('/absolute/nowhere', join(source, 'dangling'));
  symlinkSync('s'.repeat(200), join(source, 'long-link'));
  const run = (file: string, ...args: string[]) => execFileSync(file, args, { cwd: source });
  run('ln', 'etc/big', 'hard');
  run('ln', '-P', 'etc/link', 'hard-to-link');
  run('mknod', 'null', 'c', '1', '3');
  run('mknod', 'disk', 'b', '259', '300');
  run('mkfifo', 'fifo');
  run('chown', '1234:4321', 'etc/passwd', 'fifo');
  run('chown', '-h', '77:78', 'etc/link');
  run('chmod', '4711', 'etc/passwd');
  run('chmod', '1777', 'etc/deep');
  run('chmod', '2750', 'etc/deep/er');
  lsetxattr(
    join(source, 'etc/passwd'),
    'security.capability',
    Buffer.from('0100000200040000000000000000000000000000', 'hex'),
  );
  lsetxattr(join(source, 'etc/deep'), 'user.note', Buffer.from([1, 0, 255]));
  run(
    'touch',
    '-h',
    '-d',
    '2001-02-03 04:05:06.123456789',
    'etc/link',
    'etc/passwd',
    'etc/deep',
    'etc',
    'fifo',
    'null',
  );
  run('touch', '-d', '1960-01-01 00:00:00.5', 'hard');
  const args = ['--xattrs', '--xattrs-include=*', '--format=posix', '--pax-option=delete=atime,delete=ctime'];
  return execFileSync('tar', [...args, '-C', source, '-cf', '-', '.'], { maxBuffer: 1 << 26 });
}

test('a tree is the same as GNU tar makes it: modes, owners, times, xattrs, links, devices', async () => {
  const tar = packEverything();
  const expected = join(dir, 'expected');
  mkdirSync(expected);
  execFileSync('tar', ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', expected, '-xpf', '-'], {
    input: tar,
  });
  await unpack(gzipSync(tar));
  expect(listTree(layer)).toEqual(listTree(expected));
  expect(Object.keys(listTree(layer))).toHaveLength(18);
});

test.each([
  ['plain', (tar: Buffer) => tar],
  ['gzip', (tar: Buffer) => gzipSync(tar)],
  [
    'gzip of two members',
    (tar: Buffer) => Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]),
  ],
  ['zstd', (tar: Buffer) => zstdCompressSync(tar)],
  [
    'zstd of two frames',
    (tar: Buffer) =>
      Buffer.concat([zstdCompressSync(tar.subarray(0, 700)), zstdCompressSync(tar.subarray(700))]),
  ],
])('%s gives the digests of what came and of the tar', async (_, compress) => {
  const tar = buildTar([{ name: 'a', content: 'x'.repeat(3_000_000) }]);
  const blob = compress(tar);
  const unpacked = await unpack(blob);
  expect(unpacked).toMatchObject({ blobDigest: sha256(blob), diffId: sha256(tar), tarBytes: tar.length });
  expect(readFileSync(join(layer, 'a'))).toHaveLength(3_000_000);
});

test('an empty layer is a layer', async () => {
  expect((await unpack(gzipSync(buildTar([])), { pieceBytes: 1 })).tree).toMatchObject({
    entries: 0,
    inodes: 2, // its root, and its inventory
  });
});

test('whiteouts become what overlayfs takes for them', async () => {
  await unpack([
    { name: 'etc/' },
    { name: 'etc/.wh.passwd' },
    { name: 'var/' },
    { name: 'var/.wh..wh..opq' },
    { name: 'var/kept', content: 'x' },
    { name: '.wh..wh.plnk', content: 'of aufs' },
  ]);
  const passwd = lstatSync(join(layer, 'etc/passwd'));
  expect([passwd.isCharacterDevice(), passwd.rdev]).toEqual([true, 0]);
  expect(lgetxattr(join(layer, 'var'), 'trusted.overlay.opaque').toString()).toBe('y');
  expect(readdirSync(layer).sort()).toEqual(['etc', 'var']);
  expect(readdirSync(join(layer, 'var'))).toEqual(['kept']);
});

test('a whiteout hides nothing of its own layer, in whichever order they come', async () => {
  await unpack([
    { name: 'first', content: '1' },
    { name: '.wh.first' },
    { name: '.wh.second' },
    { name: 'second', content: '2' },
    { name: '.wh.dir' },
    { name: 'dir/' },
    { name: '.wh.implied' },
    { name: 'implied/file', content: '3' },
    { name: 'later/' },
    { name: '.wh.later' },
  ]);
  expect(readFileSync(join(layer, 'first'), 'utf8')).toBe('1');
  expect(readFileSync(join(layer, 'second'), 'utf8')).toBe('2');
  for (const name of ['dir', 'implied', 'later']) {
    expect(lgetxattr(join(layer, name), 'trusted.overlay.opaque').toString()).toBe('y');
  }
});

test('later entries replace earlier ones, of whatever kind', async () => {
  await unpack([
    { name: 'a/b/c', content: 'deep' },
    { name: 'a', content: 'file' },
    { name: 'link', kind: 'symlink', linkName: 'a' },
    { name: 'link/' },
    { name: 'link/x', content: 'inside' },
    { name: 'a', content: 'again', mode: 0o600 },
    { name: 'link/', mode: 0o700 },
  ]);
  expect(readFileSync(join(layer, 'a'), 'utf8')).toBe('again');
  expect(readFileSync(join(layer, 'link/x'), 'utf8')).toBe('inside');
  expect((lstatSync(join(layer, 'link')).mode & 0o777).toString(8)).toBe('700');
});

test('directories that are not listed are told, unless they come later', async () => {
  const { tree } = await unpack([{ name: 'a/b/file' }, { name: 'a/' }, { name: 'c/file' }]);
  expect([...tree.impliedDirectories].sort()).toEqual(['/', '/a/b', '/c']);
});

test('a link to a directory that is not there yet is followed inside', async () => {
  await unpack([
    { name: 'lib', kind: 'symlink', linkName: 'usr/lib' },
    { name: 'lib/x', content: 'x' },
    { name: 'abs', kind: 'symlink', linkName: '/usr/../../opt' },
    { name: 'abs/y', content: 'y' },
  ]);
  expect(readFileSync(join(layer, 'usr/lib/x'), 'utf8')).toBe('x');
  expect(readFileSync(join(layer, 'opt/y'), 'utf8')).toBe('y');
});

test('attributes that steer overlayfs are not taken from an image', async () => {
  await unpack([
    { name: 'd/', pax: { 'SCHILY.xattr.trusted.overlay.redirect': '/etc', 'SCHILY.xattr.user.ok': '1' } },
  ]);
  expect(listTree(layer)['/d']?.xattrs).toEqual([`user.ok=${btoa('1')}`]);
});

/** Each tries to reach `<dir>/outside`, by name or by way of a link. */
const outside = (rest = '') => `../outside${rest}`;
test.each<[string, TarFile[]]>([
  [
    'dots',
    [
      { name: outside('/new'), content: 'x' },
      { name: '../../../../../../tmp/davit-test-escaped', content: 'x' },
    ],
  ],
  ['an absolute name', [{ name: '/tmp/davit-test-escaped', content: 'x' }]],
  [
    'a link and a file through it',
    [
      { name: 'l', kind: 'symlink', linkName: outside() },
      { name: 'l/new', content: 'x' },
    ],
  ],
  [
    'an absolute link',
    [
      { name: 'l', kind: 'symlink', linkName: '/tmp' },
      { name: 'l/davit-test-escaped', content: 'x' },
    ],
  ],
  [
    'a file over a link',
    [
      { name: 'l', kind: 'symlink', linkName: outside('/file') },
      { name: 'l', content: 'x' },
    ],
  ],
  [
    'a directory over a link',
    [
      { name: 'l', kind: 'symlink', linkName: outside() },
      { name: 'l/', mode: 0o777 },
      { name: 'l/new', content: 'x' },
    ],
  ],
  [
    'a whiteout through a link',
    [{ name: 'l', kind: 'symlink', linkName: outside() }, { name: 'l/.wh.file' }],
  ],
  ['an opaque link', [{ name: 'l', kind: 'symlink', linkName: outside() }, { name: 'l/.wh..wh..opq' }]],
  [
    'a chain of links',
    [
      { name: 'a', kind: 'symlink', linkName: '..' },
      { name: 'b', kind: 'symlink', linkName: 'a/..' },
      { name: 'b/outside/new', content: 'x' },
    ],
  ],
])('%s stays inside', async (_, files) => {
  mkdirSync(join(dir, 'outside'));
  writeFileSync(join(dir, 'outside/file'), 'untouched');
  const before = listTree(join(dir, 'outside'));
  await unpack(files).catch(() => undefined); // whether it is taken or refused
  expect(listTree(join(dir, 'outside'))).toEqual(before);
  expect(readdirSync(dir).sort()).toEqual(['layer', 'outside']);
  expect(readdirSync('/tmp')).not.toContain('davit-test-escaped');
});

test.each<[string, string, TarFile[]]>([
  ['a hard link out', 'data_loss', [{ name: 'h', kind: 'hardlink', linkName: '../../../etc/passwd' }]],
  [
    'a hard link by an absolute name',
    'data_loss',
    [{ name: 'h', kind: 'hardlink', linkName: '/etc/passwd' }],
  ],
  ['a hard link to itself', 'data_loss', [{ name: 'h', kind: 'hardlink', linkName: 'h' }]],
  [
    'a device where a directory should be',
    'data_loss',
    [{ name: 'd', kind: 'character', device: [1, 3] }, { name: 'd/x' }],
  ],
  ['a file where a directory should be', 'data_loss', [{ name: 'd', content: 'x' }, { name: 'd/x' }]],
  [
    'a loop of links',
    'data_loss',
    [
      { name: 'a', kind: 'symlink', linkName: 'b' },
      { name: 'b', kind: 'symlink', linkName: 'a' },
      { name: 'a/x' },
    ],
  ],
  ['a link to itself', 'data_loss', [{ name: 'a', kind: 'symlink', linkName: 'a' }, { name: 'a/b/x' }]],
  ['a whiteout of the parent', 'data_loss', [{ name: 'd/.wh...' }]],
  ['a whiteout of the directory', 'data_loss', [{ name: 'd/.wh..' }]],
  ['a whiteout of nothing', 'data_loss', [{ name: 'd/.wh.' }]],
  ['a zero byte in a name', 'data_loss', [{ name: 'x', pax: { path: 'a\0b' } }]],
  ['a name that is too long', 'data_loss', [{ name: 'x', pax: { path: 'n'.repeat(300) } }]],
  ['a path that is too long', 'data_loss', [{ name: 'x', pax: { path: 'n/'.repeat(3000) } }]],
  ['a sparse file', 'unimplemented', [{ name: 'x', rawType: 'S' }]],
])('%s is refused', async (_, code, files) => {
  await expect(unpack(files)).rejects.toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(digest) as string }),
  );
});

test.each<[string, string, Buffer]>([
  ['damaged gzip', 'data_loss', gzipSync(Buffer.alloc(100_000, 'x')).fill(0xff, 30, 60)],
  ['truncated gzip', 'data_loss', gzipSync(buildTar([{ name: 'a' }])).subarray(0, -10)],
  ['a truncated tar', 'data_loss', buildTar([{ name: 'a', content: 'x'.repeat(600) }]).subarray(0, 900)],
  [
    'damaged zstd',
    'data_loss',
    zstdCompressSync(Buffer.from('x'.repeat(100_000) + Math.PI.toString())).fill(0x55, 10, 30),
  ],
])('%s is told', async (_, code, blob) => {
  await expect(unpack(blob)).rejects.toThrow(expect.objectContaining({ code }));
});

test.each([
  ['entries', { maxEntries: 3 }, buildTar(['a', 'b', 'c', 'd'].map((name) => ({ name })))],
  ['bytes', { maxBytes: 5000 }, buildTar([{ name: 'a', content: 'x'.repeat(5000) }])],
  [
    'a bomb',
    { maxRatio: 50, ratioFromBytes: 100_000 },
    gzipSync(buildTar([{ name: 'a', content: Buffer.alloc(1 << 24) }])),
  ],
])('a limit ends it: %s', async (_, limits, blob) => {
  await expect(unpack(blob, { limits })).rejects.toThrow(
    expect.objectContaining({ code: 'resource_exhausted' }),
  );
});

test('giving up ends it, and the thread writes no more', async () => {
  const abort = new AbortController();
  await using thread = new UnpackThread();
  const endless = async function* () {
    yield buildTar([{ name: 'a' }]).subarray(0, 512);
    for (;;) {
      yield Buffer.alloc(65_536);
      abort.abort(new Error('left'));
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const order = {
    directory: layer,
    inventory: join(top, `inventory-${inventories++}`),
    chunks: endless(),
    blobDigest: digest,
    diffId: digest,
    limits: DEFAULT_LIMITS,
  };
  await expect(thread.unpack(order, abort.signal)).rejects.toThrow('left');
});

test('threads that are not wanted any more while they start cost the process nothing', async () => {
  for (let round = 0; round < 10; round++) {
    const threads = Array.from({ length: 3 }, () => new UnpackThread());
    await Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]()));
  }
});
