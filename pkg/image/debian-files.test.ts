// A Debian file system unpacked by Davit is that which GNU tar and umoci make of it, to the last attribute.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { lsetxattr } from '../sys/libc/file.ts';
import type { Image } from './image.ts';
import { toOciArchive } from './testing/image-archive.ts';
import { listTree } from './testing/list-tree.ts';
import { TestImages, testContainerId } from './testing/open-images.ts';
import { buildImage } from './testing/test-image.ts';

/** Some with set-user-id programs, hard links, many symbolic links, and files of groups. */
const PACKAGES = ['base-files', 'coreutils', 'libc-bin', 'login', 'mount', 'passwd', 'perl-base', 'tzdata'];
const TAR = ['--format=pax', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--no-recursion', '--null'];
/** vfs_cap_data: effective, and CAP_NET_RAW permitted. Source: linux/capability.h. */
const NET_RAW = Buffer.from('0100000200200000000000000000000000000000', 'hex');

let dir: string;
let store: TestImages;

const sh = (script: string, cwd: string) => execFileSync('/bin/sh', ['-ec', script], { cwd, stdio: 'pipe' });

/** All of `tree`, as GNU tar packs it. */
function pack(tree: string): Buffer {
  const input = execFileSync('find', ['.', '-print0'], { cwd: tree });
  const args = [...TAR, '-C', tree, '-c', '-f', '-', '--files-from=-'];
  return execFileSync('tar', args, { input, maxBuffer: 1 << 30 });
}

/** The files of packages that are installed here, and what they do not have. */
function makeBase(tree: string): void {
  const installed = execFileSync('dpkg', ['-L', ...PACKAGES], { encoding: 'utf8' });
  const names = installed.split('\n').filter((name) => name.startsWith('/usr/'));
  const input = [...new Set(names)].map((name) => `.${name}`).join('\0');
  const args = [...TAR, '--ignore-failed-read', '-C', '/', '-c', '-f', '-', '--files-from=-'];
  const tar = execFileSync('tar', args, { input, maxBuffer: 1 << 30, stdio: 'pipe' });
  execFileSync('tar', ['-x', '-p', '--numeric-owner', '-C', tree], { input: tar });
  sh(
    `mkdir -p opt/old opt/kept srv/'odd name' var/sticky; chmod 1777 var/sticky
     echo old > opt/old/file; echo kept > opt/kept/file; echo gone > srv/gone
     ln usr/bin/env srv/hard-env; ln -s ../usr/bin/env srv/soft-env; ln -P srv/soft-env srv/hard-link
     mkdir -p dev; mknod dev/null c 1 3; mknod dev/disk b 259 300; mkfifo -m 600 srv/fifo
     cp usr/bin/env srv/ping; chown 1234:4321 opt/kept/file; chmod 2755 opt/kept
     touch -d '2001-02-03 04:05:06.123456789 UTC' opt/kept/file; touch -h -d '1999-01-01 UTC' srv/soft-env`,
    tree,
  );
  lsetxattr(join(tree, 'srv/ping'), 'security.capability', NET_RAW);
  lsetxattr(join(tree, 'opt/kept'), 'trusted.kind', Buffer.from([0, 255, 10]));
  writeFileSync(Buffer.from(`${tree}/srv/\xff\xfe`, 'latin1'), 'not UTF-8');
  writeFileSync(join(tree, 'srv', 'n'.repeat(250)), 'long');
}

/** Changes, whiteouts, an opaque directory, a directory that becomes a file and a file that becomes a directory. */
function makeChange(tree: string): void {
  sh(
    `mkdir -p opt/old opt/kept usr/share/zoneinfo srv
     touch opt/old/.wh..wh..opq srv/.wh.gone usr/share/zoneinfo/.wh.Europe; echo new > opt/old/new
     echo changed > opt/kept/file; chmod 4755 opt/kept/file; mkdir srv/hard-env; echo x > srv/hard-env/in
     echo now a file > var; chmod 700 srv`,
    tree,
  );
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'davit-test-debian-'));
  for (const name of ['base', 'change', 'tar']) mkdirSync(join(dir, name));
  makeBase(join(dir, 'base'));
  makeChange(join(dir, 'change'));
  store = await TestImages.open();
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

async function load(layers: readonly Buffer[]): Promise<Image> {
  const archive = join(dir, 'image.tar');
  writeFileSync(archive, toOciArchive(buildImage({ layers })));
  const [image] = await store.images.load(testCall, archive);
  return image!;
}

/** The archive that was loaded last, unpacked by umoci into a file system. */
function umociUnpack(): string {
  const layout = join(dir, 'layout');
  mkdirSync(layout);
  execFileSync('tar', ['-x', '-C', layout, '-f', join(dir, 'image.tar')]);
  const path = join(layout, 'index.json');
  const index = JSON.parse(readFileSync(path, 'utf8')) as { manifests: { annotations: object }[] };
  index.manifests[0]!.annotations = { 'org.opencontainers.image.ref.name': 'it' };
  writeFileSync(path, JSON.stringify(index));
  const bundle = join(dir, 'bundle');
  execFileSync('umoci', ['unpack', '--image', `${layout}:it`, bundle], { stdio: 'pipe' });
  return join(bundle, 'rootfs');
}

test('files of Debian are what GNU tar makes of them', async () => {
  const tar = pack(join(dir, 'base'));
  await load([tar]);
  const [layer = ''] = readdirSync(join(store.root, 'layers'));
  const args = ['-x', '-p', '--same-owner', '--numeric-owner', '--xattrs', '--xattrs-include=*'];
  execFileSync('tar', [...args, '-C', join(dir, 'tar')], { input: tar });
  const [ours, theirs] = [listTree(join(store.root, 'layers', layer)), listTree(join(dir, 'tar'))];
  expect(Object.keys(theirs).length).toBeGreaterThan(2000);
  expect(ours).toEqual(theirs);
});

test('changed by a second layer, they are what umoci makes of them', async () => {
  const image = await load([pack(join(dir, 'base')), pack(join(dir, 'change'))]);
  const { rootfs } = await store.images.snapshots.prepare(testCall, testContainerId('a'), image.id);
  const [ours, theirs] = [listTree(rootfs), listTree(umociUnpack())];
  expect([ours['/srv/gone'], ours['/opt/old/file'], ours['/usr/share/zoneinfo/Europe']]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(ours).toEqual(theirs);
});
