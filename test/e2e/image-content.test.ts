// What layers say is what a container sees: deletions, links, owners, modes, times, attributes.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lgetxattr } from '../../pkg/sys/libc/file.ts';
import { writeDockerArchive, writeOciArchive } from './harness/image-archive.ts';
import { buildImage, type LayerEntry } from './harness/image-builder.ts';
import { TestPod } from './harness/pod.ts';
import { busyboxEntries } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const CONFIG = { Env: ['PATH=/bin'] };

/** What a shell script writes in a container of busybox and these layers. */
async function outputIn(layers: readonly (readonly LayerEntry[])[], script: string): Promise<string> {
  const name = `davit.local/test-${crypto.randomUUID()}:v1`;
  const image = await buildImage({
    layers: [{ entries: busyboxEntries() }, ...layers.map((entries) => ({ entries }))],
    config: CONFIG,
  });
  await writeOciArchive(join(node.place.dir, 'content.tar'), name, image);
  await node.davit.loadImages({ path: join(node.place.dir, 'content.tar') });
  const pod = await TestPod.run(node);
  const output = await pod.output(['sh', '-c', script], { image: name });
  await pod.remove();
  await node.client.removeImage({ image: { image: name } });
  return output;
}

test('a whiteout hides what a lower layer has, and leaves its neighbours', async () => {
  const lower: LayerEntry[] = [
    { path: '/d', type: 'directory' },
    { path: '/d/gone', data: 'x' },
    { path: '/d/kept', data: 'x' },
    { path: '/tree', type: 'directory' },
    { path: '/tree/file', data: 'x' },
  ];
  const upper: LayerEntry[] = [{ path: '/d/.wh.gone' }, { path: '/.wh.tree' }];
  expect(await outputIn([lower, upper], 'ls /d; ls -d /tree 2>/dev/null || echo no tree')).toBe(
    'kept\nno tree\n',
  );
});

test('an opaque directory hides all that lower layers have in it', async () => {
  const lower: LayerEntry[] = [
    { path: '/d', type: 'directory' },
    { path: '/d/old', data: 'x' },
  ];
  const upper: LayerEntry[] = [
    { path: '/d', type: 'directory' },
    { path: '/d/.wh..wh..opq' },
    { path: '/d/new', data: 'x' },
  ];
  expect(await outputIn([lower, upper], 'ls -A /d')).toBe('new\n');
});

test('what was deleted in one layer may come again in the next', async () => {
  const lower: LayerEntry[] = [
    { path: '/d', type: 'directory' },
    { path: '/d/a', data: 'old' },
  ];
  const layers = [
    lower,
    [{ path: '/.wh.d' }],
    [
      { path: '/d', type: 'directory' as const },
      { path: '/d/b', data: 'new' },
    ],
  ];
  expect(await outputIn(layers, 'ls -A /d')).toBe('b\n');
});

test('a file that takes the place of a directory, and the other way round, does so', async () => {
  const lower: LayerEntry[] = [
    { path: '/was-dir', type: 'directory' },
    { path: '/was-dir/file', data: 'x' },
    { path: '/was-file', data: 'x' },
  ];
  const upper: LayerEntry[] = [
    { path: '/was-dir', data: 'now a file' },
    { path: '/was-file', type: 'directory' },
    { path: '/was-file/in', data: 'x' },
  ];
  expect(await outputIn([lower, upper], 'cat /was-dir; echo; ls /was-file')).toBe('now a file\nin\n');
});

test('hard links are one file, and symbolic links lead where they say', async () => {
  const layer: LayerEntry[] = [
    { path: '/one', data: 'data' },
    { path: '/two', type: 'link', target: '/one' },
    { path: '/three', type: 'symlink', target: 'one' },
  ];
  const script = 'stat -c %h /one; [ $(stat -c %i /one) = $(stat -c %i /two) ] && echo same; readlink /three';
  expect(await outputIn([layer], script)).toBe('2\nsame\none\n');
});

test('owner, mode, time and kind are those of the layer', async () => {
  const layer: LayerEntry[] = [
    { path: '/file', data: 'x', mode: 0o4751, uid: 1234, gid: 5678, mtimeSeconds: 1_000_000_000 },
    { path: '/dir', type: 'directory', mode: 0o1770, uid: 65534, gid: 65534, mtimeSeconds: 1_100_000_000 },
    { path: '/dir/in', data: 'x' },
    { path: '/null', type: 'character-device', device: { major: 1, minor: 3 }, mode: 0o600 },
    { path: '/fifo', type: 'fifo', mode: 0o640 },
  ];
  const script = `stat -c '%n %a %u:%g %Y %F' /file /dir; stat -c '%n %a %t:%T %F' /null; stat -c '%n %a %F' /fifo`;
  expect(await outputIn([layer], script)).toBe(
    [
      '/file 4751 1234:5678 1000000000 regular file',
      '/dir 1770 65534:65534 1100000000 directory',
      '/null 600 1:3 character special file',
      '/fifo 640 fifo',
      '',
    ].join('\n'),
  );
});

test('the capabilities of a program count, and other attributes are there', async () => {
  // cap_net_raw+ep, as setcap writes it. Source: capabilities(7), vfs_cap_data of version 2.
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex').toString('latin1');
  const xattrs = { 'user.colour': 'green', 'security.capability': capability };
  const busybox = busyboxEntries().find(({ path }) => path === '/bin/busybox');
  const name = 'davit.local/capable:v1';
  const path = join(node.place.dir, 'capable.tar');
  const layers = [{ entries: busyboxEntries() }, { entries: [{ ...busybox!, path: '/bin/cat', xattrs }] }];
  await writeOciArchive(path, name, await buildImage({ layers, config: CONFIG }));
  await node.davit.loadImages({ path });
  const pod = await TestPod.run(node);
  const container = await pod.start({ image: name, security: { runAsUser: { value: 1000n } } });
  const { pid } = await container.info();
  expect(lgetxattr(`/proc/${pid}/root/bin/cat`, 'user.colour').toString()).toBe('green');
  const { stdout } = await container.exec(['cat', '/proc/self/status']);
  expect(stdout).toMatch(/^CapEff:\t0000000000002000$/m);
  await pod.remove();
});

test('names that lead out of the layer stay in it', async () => {
  const layer: LayerEntry[] = [
    { path: '/link', type: 'symlink', target: '../../../../../../tmp' },
    { path: '/link/escaped', data: 'x' },
    { path: '../../outside', data: 'x' },
  ];
  const text = await outputIn([layer], 'ls -d /outside /tmp/escaped 2>/dev/null; true');
  expect(text).toMatch(/^(\/outside\n)?(\/tmp\/escaped\n)?$/);
  expect(readdirSync('/tmp')).not.toContain('escaped');
});

test('an archive of Docker is imported, with its names', async () => {
  const path = join(node.place.dir, 'docker.tar');
  const image = await buildImage({
    docker: true,
    layers: [{ entries: busyboxEntries(), compression: 'none' }],
    config: { ...CONFIG, Cmd: ['echo', 'from docker'] },
  });
  await writeDockerArchive(path, 'davit.local/docker:v1', image);
  expect(await node.davit.loadImages({ path })).toEqual({
    references: ['davit.local/docker:v1'],
    ids: [image.id],
  });
  const pod = await TestPod.run(node);
  expect(await pod.output([], { image: 'davit.local/docker:v1' })).toBe('from docker\n');
  await pod.remove();
});
