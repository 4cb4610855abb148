import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ContainerId } from '../base/id.ts';
import { testCall } from '../base/testing/call.ts';
import { DeclaredVolumes, makeDirectories } from './declared-volumes.ts';

const id = 'c'.repeat(64) as ContainerId;
let root = '';
let rootfs = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'davit-test-'));
  rootfs = join(root, 'rootfs');
  mkdirSync(join(rootfs, 'data/deep'), { recursive: true });
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const make = (...paths: string[]): Promise<(string | undefined)[]> =>
  new DeclaredVolumes(root).make(testCall, id, { rootfs, paths, ownerId: 0 });

test('a volume has what the image has there, with owner and mode', async () => {
  writeFileSync(join(rootfs, 'data/deep/file'), 'text');
  symlinkSync('/etc/passwd', join(rootfs, 'data/link'));
  chownSync(join(rootfs, 'data'), 70, 71);
  chmodSync(join(rootfs, 'data'), 0o2770);
  const [volume = ''] = await make('/data');
  expect(volume).toBe(join(root, 'snapshots', id, 'volumes/0'));
  expect(readFileSync(join(volume, 'deep/file'), 'utf8')).toBe('text');
  expect(readlinkSync(join(volume, 'link'))).toBe('/etc/passwd');
  const { uid, gid, mode } = statSync(volume);
  expect([uid, gid, mode & 0o7777]).toEqual([70, 71, 0o2770]);
});

test('one that the image does not have is empty', async () => {
  const [volume = ''] = await make('/missing/dir');
  expect(statSync(volume).mode & 0o7777).toBe(0o755);
  expect(existsSync(join(rootfs, 'missing'))).toBe(false);
});

test('one that the image does not have belongs to root of the container', async () => {
  const request = { rootfs, paths: ['/missing'], ownerId: 4711 };
  const [volume = ''] = await new DeclaredVolumes(root).make(testCall, id, request);
  expect(statSync(volume).uid).toBe(4711);
});

test('made again, it keeps what was written', async () => {
  const [volume = ''] = await make('/data');
  writeFileSync(join(volume, 'new'), '');
  expect(await make('/data')).toEqual([volume]);
  expect(existsSync(join(volume, 'new'))).toBe(true);
});

test('what a crash has left half done is done again', async () => {
  const unfinished = join(root, 'snapshots', id, 'volumes/0.new/rubbish');
  mkdirSync(unfinished, { recursive: true });
  const [volume = ''] = await make('/data');
  expect(existsSync(join(volume, 'rubbish'))).toBe(false);
});

test('a link of the image does not lead out of it', async () => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), '');
  symlinkSync(outside, join(rootfs, 'evil'));
  symlinkSync('../../../../data', join(rootfs, 'good'));
  const [evil = '', good = ''] = await make('/evil', '/good');
  expect(existsSync(join(evil, 'secret'))).toBe(false);
  expect(existsSync(join(good, 'deep'))).toBe(true);
});

test('a path that is a file stays as it is', async () => {
  writeFileSync(join(rootfs, 'file'), '');
  execFileSync('mkfifo', [join(rootfs, 'pipe')]);
  expect(await make('/file', '/pipe')).toEqual([undefined, undefined]);
});

test('a path below a file is refused by name', async () => {
  writeFileSync(join(rootfs, 'file'), '');
  await expect(make('/file/below')).rejects.toThrow('the image declares a volume at "/file/below"');
});

test('makeDirectories() makes what the image does not have, inside of it, and leaves the rest', async () => {
  const outside = join(root, 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(rootfs, 'evil'));
  symlinkSync('data/made', join(rootfs, 'dangling'));
  writeFileSync(join(rootfs, 'file'), '');
  const request = { rootfs, paths: ['/a/b', '/data', '/file', '/evil/x', '/dangling'], ownerId: 4711 };
  for (let times = 0; times < 2; times++) await makeDirectories(request);
  const { uid, gid, mode } = statSync(join(rootfs, 'a/b'));
  expect([uid, gid, mode & 0o7777]).toEqual([4711, 4711, 0o755]);
  expect(statSync(join(rootfs, 'data')).uid).toBe(0);
  expect(statSync(join(rootfs, 'data/made')).isDirectory()).toBe(true);
  expect(readdirSync(outside)).toEqual([]);
  expect(existsSync(join(rootfs, outside, 'x'))).toBe(true);
  await expect(makeDirectories({ ...request, paths: ['/file/x'] })).rejects.toThrow(
    'the image declares a volume at "/file/x"',
  );
});
