import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Fault } from '../base/fault.ts';
import { testCall } from '../base/testing/call.ts';
import { exec } from './exec.ts';
import { mountsUnder } from './mountinfo.ts';
import { isPinned, unpinNamespaces } from './namespace.ts';
import { type TempDir, tempDir } from './testing/temp-dir.ts';
import { inUserNamespace, pinUserNamespaces, type UserPinOptions } from './user-namespace.ts';

const mapping = { hostId: 327_680, length: 65_536 };
const ALL = ['net', 'ipc', 'uts'] as const;

function pinDir(): TempDir {
  const dir = tempDir();
  const unpin = () => {
    unpinNamespaces(dir.join('ns'));
    dir[Symbol.dispose]();
  };
  return { path: dir.join('ns'), join: (...names) => dir.join('ns', ...names), [Symbol.dispose]: unpin };
}

/** What a program sees that joins the pinned namespaces. */
async function inside(dir: TempDir, ...args: readonly string[]): Promise<string> {
  const enter = [...ALL, 'user'].map((type) => `--${type}=${dir.join(type)}`);
  const { stdout } = await exec(testCall, { file: '/usr/bin/nsenter', args: [...enter, '--', ...args] });
  return stdout.trim();
}

const ours = () => ALL.map((type) => readlinkSync(`/proc/thread-self/ns/${type}`));

test('pinUserNamespaces() makes namespaces that belong to root of the mapping', async () => {
  using dir = pinDir();
  const before = ours();
  const sysctls = { 'net.ipv4.ip_forward': '1', 'kernel.shmmni': '77', 'fs.mqueue.msg_max': '11' };
  await pinUserNamespaces(testCall, { dir: dir.path, types: ALL, hostname: 'pod-1', sysctls, mapping });
  expect(ours()).toEqual(before);
  const map = await inside(dir, '/bin/cat', '/proc/self/uid_map', '/proc/self/gid_map');
  expect(map.split(/\s+/)).toEqual(['0', '327680', '65536', '0', '327680', '65536']);
  expect(await inside(dir, '/bin/hostname')).toBe('pod-1');
  const files = ['net/ipv4/ip_forward', 'kernel/shmmni', 'fs/mqueue/msg_max'].map((f) => `/proc/sys/${f}`);
  expect(await inside(dir, '/bin/cat', ...files)).toBe('1\n77\n11');
  expect(readFileSync('/proc/sys/kernel/shmmni', 'utf8').trim()).not.toBe('77');
});

test('pinUserNamespaces() does nothing the second time', async () => {
  using dir = pinDir();
  const options: UserPinOptions = { dir: dir.path, types: ALL, mapping };
  await pinUserNamespaces(testCall, options);
  const first = statSync(dir.join('user')).ino;
  await pinUserNamespaces(testCall, options);
  expect(statSync(dir.join('user')).ino).toBe(first);
  expect(await mountsUnder(dir.path)).toHaveLength(4);
});

test('pinUserNamespaces() makes all anew when one is missing', async () => {
  using dir = pinDir();
  const options: UserPinOptions = { dir: dir.path, types: ALL, mapping };
  await pinUserNamespaces(testCall, { ...options, types: ['net'] });
  await pinUserNamespaces(testCall, options);
  expect([...ALL, 'user'].map((type) => isPinned(dir.join(type)))).toEqual([true, true, true, true]);
});

test.each([
  ['a mapping that the kernel refuses', { mapping: { hostId: 1, length: 2 ** 32 } }, 'failed_precondition'],
  ['a sysctl of the node', { sysctls: { 'vm.swappiness': '1' } }, 'invalid_argument'],
  ['a network sysctl that is refused', { sysctls: { 'net.ipv4.ip_forward': 'x' } }, 'invalid_argument'],
  ['an ipc sysctl that is refused', { sysctls: { 'kernel.shmmni': 'x' } }, 'invalid_argument'],
])('after %s nothing is pinned', async (_, change, code) => {
  using dir = pinDir();
  const pinned = pinUserNamespaces(testCall, { dir: dir.path, types: ALL, mapping, ...change });
  await expect(pinned).rejects.toMatchObject({ constructor: Fault, code });
  expect(await mountsUnder(dir.path)).toEqual([]);
  expect(existsSync(dir.path) ? readdirSync(dir.path) : []).toEqual([]);
});

test('no process is left, whatever happens', async () => {
  let pid = 0;
  const failing = inUserNamespace(testCall, { types: [], mapping }, (holder) => {
    pid = holder;
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect(existsSync(`/proc/${pid}`)).toBe(false);
});
