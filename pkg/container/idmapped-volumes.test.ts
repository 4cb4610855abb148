import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../sys/testing/temp-dir.ts';
import { testUsers } from '../sys/testing/test-users.ts';
import {
  bindVolumes,
  mountVolumes,
  unmountVolumes,
  volumesDirectory,
  type IdmappedVolume,
} from './idmapped-volumes.ts';

/** A bundle, and volumes to mount in it. */
async function setUp() {
  const users = await testUsers();
  const dir = tempDir();
  const bundle = dir.join('bundle');
  mkdirSync(dir.join('data'));
  writeFileSync(dir.join('file'), 'x');
  const volume = (source: string, name: string): IdmappedVolume => ({
    source,
    target: join(volumesDirectory(bundle), name),
  });
  const volumes = [volume(dir.join('data'), '0'), volume(dir.join('file'), '1')];
  const mount = (what: readonly IdmappedVolume[]) => mountVolumes(what, users.path);
  const clear = async () => {
    await unmountVolumes(bundle);
    dir[Symbol.dispose]();
    users[Symbol.dispose]();
  };
  return { users, bundle, volume, volumes, mount, [Symbol.asyncDispose]: clear };
}

const ownersOf = (volumes: readonly IdmappedVolume[]) => volumes.map(({ target }) => statSync(target).uid);

test('a directory and a file are mounted with their ids mapped, as often as one likes', async () => {
  await using node = await setUp();
  for (let times = 0; times < 2; times++) await node.mount(node.volumes);
  const root = node.users.mapping.hostId;
  expect(ownersOf(node.volumes)).toEqual([root, root]);
  expect(readFileSync(node.volumes[1]?.target ?? '', 'utf8')).toBe('x');
});

test('all of them are found from the bundle alone and unmounted, also when there are none', async () => {
  await using node = await setUp();
  await unmountVolumes(node.bundle);
  await node.mount(node.volumes);
  await unmountVolumes(node.bundle);
  await unmountVolumes(node.bundle);
  expect(ownersOf(node.volumes)).toEqual([0, 0]);
});

test('a volume whose file system cannot map ids is named', async () => {
  await using node = await setUp();
  await expect(node.mount([node.volume('/proc', '0')])).rejects.toMatchObject({
    code: 'failed_precondition',
    message: 'cannot map the ids of "/proc": its file system does not support that',
  });
});

test('what has the ids of the pod already is mounted as it is, and goes with the rest', async () => {
  await using node = await setUp();
  const source = node.volumes[0]?.source ?? '';
  const [none, bound = ''] = await bindVolumes(node.bundle, [undefined, source]);
  expect(none).toBeUndefined();
  expect(await bindVolumes(node.bundle, [undefined, source])).toEqual([undefined, bound]);
  writeFileSync(join(source, 'file'), '');
  expect(existsSync(join(bound, 'file'))).toBe(true);
  await unmountVolumes(node.bundle);
  expect(existsSync(join(bound, 'file'))).toBe(false);
});
