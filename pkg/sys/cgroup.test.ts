import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { Cgroups } from './cgroup.ts';
import { listMounts, type MountPoint } from './mountinfo.ts';
import { type Child, spawn } from './spawn.ts';
import { cgroupOfItsOwn } from './testing/cgroup-name.ts';
import { eventually } from './testing/eventually.ts';
import { type TempDir, tempDir } from './testing/temp-dir.ts';

interface TestGroup extends AsyncDisposable {
  readonly cgroups: Cgroups;
  readonly path: string;
  /** The directories of the group, one per hierarchy. */
  readonly dirs: readonly string[];
}

/** The path of a group on this machine that nobody else uses, gone at the end with those below it. */
async function testGroup(): Promise<TestGroup> {
  const cgroups = await Cgroups.detect();
  const path = cgroupOfItsOwn();
  const fsType = cgroups.version === 1 ? 'cgroup' : 'cgroup2';
  const roots = (await listMounts()).filter((mount) => mount.fsType === fsType).map((mount) => mount.target);
  const remove = async () => {
    await cgroups.killAll(testCall, path);
    await cgroups.remove(path);
  };
  return { cgroups, path, dirs: roots.map((root) => root + path), [Symbol.asyncDispose]: remove };
}

/** A program in the group, in every hierarchy. */
function spawnIn(dirs: readonly string[], script: string): Child {
  const enter = dirs.map((dir) => `echo 0 > ${dir}/cgroup.procs`);
  return spawn({ file: '/bin/sh', args: ['-c', [...enter, script].join(' && ')] });
}

test('create() makes the group everywhere, and remove() takes it away, each as often as one likes', async () => {
  await using group = await testGroup();
  const { cgroups, path, dirs } = group;
  await cgroups.create(`${path}/pod/container`);
  await cgroups.create(`${path}/pod/container`);
  expect(dirs.filter((dir) => !existsSync(`${dir}/pod/container`))).toEqual([]);
  expect(await cgroups.exists(`${path}/pod`)).toBe(true);
  await cgroups.remove(path);
  await cgroups.remove(path);
  expect(dirs.filter((dir) => existsSync(dir))).toEqual([]);
  expect(await cgroups.exists(path)).toBe(false);
});

test('processes can enter a new group, and pids() finds those in groups below', async () => {
  await using group = await testGroup();
  await group.cgroups.create(`${group.path}/a/b`);
  const child = spawnIn(
    group.dirs.map((dir) => `${dir}/a/b`),
    'exec sleep 100',
  );
  await eventually(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n');
  expect(await group.cgroups.pids(group.path)).toEqual([child.pid]);
  expect(await group.cgroups.pids(`${group.path}/none`)).toEqual([]);
});

test('remove() says that a group is in use', async () => {
  await using group = await testGroup();
  await group.cgroups.create(group.path);
  const child = spawnIn(group.dirs, 'exec sleep 100');
  await eventually(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n');
  await expect(group.cgroups.remove(group.path, 20)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: `cannot remove cgroup "${group.path}": it is in use`,
    detail: { processes: String(child.pid) },
  });
});

test('killAll() kills everything in the group, also what is started meanwhile', async () => {
  await using group = await testGroup();
  await group.cgroups.create(`${group.path}/below`);
  const below = group.dirs.map((dir) => `${dir}/below`);
  const child = spawnIn(below, 'while true; do /bin/sleep 100 & sleep 0.01; done');
  await eventually(() => readFileSync(`${below[0] ?? ''}/cgroup.procs`, 'utf8').split('\n').length > 5);
  await group.cgroups.killAll(testCall, group.path);
  expect(await child.exited).toEqual({ kind: 'signalled', signal: 9 });
  expect(await group.cgroups.pids(group.path)).toEqual([]);
  await group.cgroups.killAll(testCall, group.path);
});

test('killAll() gives up when the caller does', async () => {
  await using group = await testGroup();
  await group.cgroups.create(group.path);
  const child = spawnIn(group.dirs, 'exec sleep 100');
  await eventually(() => readFileSync(`/proc/${child.pid}/comm`, 'utf8') === 'sleep\n');
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(group.cgroups.killAll({ ...testCall, signal: gone }, group.path)).rejects.toThrow('gone');
  expect(await group.cgroups.pids(group.path)).toEqual([child.pid]);
});

test('killAll() will not kill this process', async () => {
  using root = fakeV2();
  mkdirSync(root.join('g'));
  writeFileSync(root.join('g', 'cgroup.procs'), `1\n${process.pid}\n`);
  await expect(root.cgroups.killAll(testCall, '/g')).rejects.toThrow(
    'cannot kill cgroup "/g": this process is in it',
  );
});

test('oomKills() counts what the kernel killed for want of memory, memoryLimitBytes() knows the limit', async () => {
  await using group = await testGroup();
  const { cgroups, path } = group;
  await cgroups.create(path);
  expect([await cgroups.oomKills(path), await cgroups.memoryLimitBytes(path)]).toEqual([0, undefined]);
  expect(await cgroups.memoryLimitReached(path)).toBe(false);
  const file = cgroups.version === 1 ? 'memory.limit_in_bytes' : 'memory.max';
  const dir = group.dirs.find((each) => existsSync(`${each}/${file}`)) ?? '';
  writeFileSync(`${dir}/${file}`, '16M');
  const hungry = spawnIn(group.dirs, 'exec tail /dev/zero');
  expect(await hungry.exited).toEqual({ kind: 'signalled', signal: 9 });
  expect([await cgroups.oomKills(path), await cgroups.memoryLimitBytes(path)]).toEqual([1, 16_777_216n]);
  expect(await cgroups.memoryLimitReached(path)).toBe(true);
  const peak = await cgroups.peakMemoryBytes(path);
  expect(peak ?? 16_777_216n).toBeGreaterThan(15_000_000n); // Linux before 5.19 does not keep it on version 2
  expect(peak ?? 0n).toBeLessThanOrEqual(16_777_216n);
  await cgroups.remove(path);
  expect([await cgroups.oomKills(path), await cgroups.memoryLimitBytes(path)]).toEqual([0, undefined]);
  expect([await cgroups.memoryLimitReached(path), await cgroups.peakMemoryBytes(path)]).toEqual([
    false,
    undefined,
  ]);
});

test.each(['/', '', 'davit', '/a/../b', '/a//b', '/a/', '/./a', '/a\0b'])(
  'a path such as %j is refused',
  async (path) => {
    using root = fakeV2();
    await expect(root.cgroups.remove(path)).rejects.toThrow(`"${path}" is not the path of a cgroup`);
    await expect(root.cgroups.killAll(testCall, path)).rejects.toMatchObject({ code: 'invalid_argument' });
  },
);

// --- version 2, by the formats of its files

const mountPoint = (
  fsType: string,
  target: string,
  superOptions: readonly string[] = ['rw'],
): MountPoint => ({
  fsType,
  target,
  root: '/',
  source: fsType,
  options: ['rw'],
  superOptions,
  peers: { shared: false, slave: false },
});

function fakeV2(): TempDir & { readonly cgroups: Cgroups } {
  const dir = tempDir();
  writeFileSync(dir.join('cgroup.controllers'), 'cpu memory pids\n');
  writeFileSync(dir.join('cgroup.subtree_control'), '');
  return { ...dir, cgroups: Cgroups.fromMounts([mountPoint('cgroup2', dir.path)]) };
}

test('on version 2 the controllers are switched on above a new group', async () => {
  using root = fakeV2();
  await root.cgroups.create('/g');
  expect(root.cgroups.version).toBe(2);
  expect(readFileSync(root.join('cgroup.subtree_control'), 'utf8')).toBe('+pids'); // the last of three writes
});

test('on version 2 a group can be handed over: itself, and what the kernel says may be', async () => {
  using root = fakeV2();
  mkdirSync(root.join('g'));
  for (const file of ['cgroup.procs', 'cgroup.subtree_control', 'memory.max'])
    writeFileSync(root.join('g', file), '');
  await root.cgroups.delegate('/g', 327_680); // memory.oom.group and others are not there
  const owners = ['', 'cgroup.procs', 'cgroup.subtree_control', 'memory.max'].map(
    (file) => statSync(root.join('g', file)).uid,
  );
  expect(owners).toEqual([327_680, 327_680, 327_680, 0]);
});

test('on version 2 the memory files have other names', async () => {
  using root = fakeV2();
  mkdirSync(root.join('g'));
  writeFileSync(
    root.join('g', 'memory.events'),
    'low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 5\n',
  );
  writeFileSync(root.join('g', 'memory.max'), '1048576\n');
  expect([await root.cgroups.oomKills('/g'), await root.cgroups.memoryLimitBytes('/g')]).toEqual([
    3,
    1_048_576n,
  ]);
  writeFileSync(root.join('g', 'memory.events.local'), 'low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\n');
  writeFileSync(root.join('g', 'memory.peak'), '1044480\n');
  expect([await root.cgroups.memoryLimitReached('/g'), await root.cgroups.peakMemoryBytes('/g')]).toEqual([
    true,
    1_044_480n,
  ]);
  writeFileSync(root.join('g', 'memory.max'), 'max\n');
  expect(await root.cgroups.memoryLimitBytes('/g')).toBeUndefined();
});

test('on version 2 one write kills all', async () => {
  using root = fakeV2();
  mkdirSync(root.join('g'));
  writeFileSync(root.join('g', 'cgroup.procs'), '1\n');
  writeFileSync(root.join('g', 'cgroup.kill'), '');
  const killing = root.cgroups.killAll(testCall, '/g');
  await eventually(() => readFileSync(root.join('g', 'cgroup.kill'), 'utf8') === '1');
  writeFileSync(root.join('g', 'cgroup.procs'), '');
  await killing;
});

test('a hybrid node counts as version 1: in its unified tree nothing is made, but all is removed', async () => {
  using unified = tempDir();
  using memory = tempDir();
  const cgroups = Cgroups.fromMounts([
    mountPoint('cgroup2', unified.path),
    mountPoint('cgroup', memory.path, ['rw', 'memory']),
  ]);
  await cgroups.create('/g');
  expect([cgroups.version, existsSync(memory.join('g')), existsSync(unified.join('g'))]).toEqual([
    1,
    true,
    false,
  ]);
  mkdirSync(unified.join('g', 'left-by-the-runtime'), { recursive: true });
  expect(await cgroups.exists('/g/left-by-the-runtime')).toBe(false);
  await cgroups.remove('/g');
  expect([existsSync(memory.join('g')), existsSync(unified.join('g'))]).toEqual([false, false]);
});

test('a node without cgroups is refused', () => {
  expect(() => Cgroups.fromMounts([mountPoint('ext4', '/')])).toThrow('no control groups are mounted');
});
