import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { exec } from './exec.ts';
import { mountsUnder } from './mountinfo.ts';
import {
  inNetworkNamespace,
  isPinned,
  type PinOptions,
  pinNamespaces,
  unpinNamespaces,
} from './namespace.ts';
import { type TempDir, tempDir } from './testing/temp-dir.ts';

function pinDir(): TempDir {
  const dir = tempDir();
  const unpin = () => {
    unpinNamespaces(dir.join('ns'));
    dir[Symbol.dispose]();
  };
  return { path: dir.join('ns'), join: (...names) => dir.join('ns', ...names), [Symbol.dispose]: unpin };
}

const ALL = ['net', 'ipc', 'uts'] as const;
const ours = () => ALL.map((type) => readlinkSync(`/proc/thread-self/ns/${type}`));

/** What a program sees that joins the pinned namespaces. */
async function inside(dir: TempDir, ...args: readonly string[]): Promise<string> {
  const join = ALL.map((type) => `--${type}=${dir.join(type)}`);
  const { stdout } = await exec(testCall, { file: '/usr/bin/nsenter', args: [...join, '--', ...args] });
  return stdout.trim();
}

test('pinNamespaces() makes namespaces as asked, which programs can join', async () => {
  using dir = pinDir();
  const before = ours();
  const sysctls = { 'net.ipv4.ip_forward': '1', 'kernel.shmmni': '77' };
  pinNamespaces({ dir: dir.path, types: ALL, hostname: 'pod-1', sysctls });
  const forward = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8');
  expect(ours()).toEqual(before);
  expect(await inside(dir, '/bin/hostname')).toBe('pod-1');
  expect(await inside(dir, '/bin/cat', '/proc/sys/net/ipv4/ip_forward', '/proc/sys/kernel/shmmni')).toBe(
    '1\n77',
  );
  expect(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8')).toBe(forward);
  expect(readFileSync('/proc/sys/kernel/shmmni', 'utf8').trim()).not.toBe('77');
});

test('pinNamespaces() does nothing the second time', async () => {
  using dir = pinDir();
  const options: PinOptions = { dir: dir.path, types: ALL };
  pinNamespaces(options);
  const first = await inside(dir, '/bin/readlink', '/proc/self/ns/net');
  pinNamespaces(options);
  expect(await inside(dir, '/bin/readlink', '/proc/self/ns/net')).toBe(first);
  expect(await mountsUnder(dir.path)).toHaveLength(3);
});

test('pinNamespaces() makes all anew when some are missing', async () => {
  using dir = pinDir();
  pinNamespaces({ dir: dir.path, types: ['ipc', 'uts'], hostname: 'old' });
  pinNamespaces({ dir: dir.path, types: ALL, hostname: 'new' });
  expect(await inside(dir, '/bin/hostname')).toBe('new');
  expect(await mountsUnder(dir.path)).toHaveLength(3);
});

test.each([
  [
    { types: ['ipc'], sysctls: { 'net.ipv4.ip_forward': '1' } },
    'sysctl "net.ipv4.ip_forward" belongs to none',
  ],
  [{ types: ['net'], sysctls: { 'kernel.shmmni': '77' } }, 'sysctl "kernel.shmmni" belongs to none'],
  [{ types: ALL, sysctls: { 'vm.swappiness': '1' } }, 'sysctl "vm.swappiness" belongs to none'],
  [{ types: ALL, sysctls: { 'net.//.vm.swappiness': '1' } }, 'belongs to none'],
  [{ types: ['net'], hostname: 'pod-1' }, 'cannot set hostname "pod-1" without a UTS namespace'],
  [{ types: ALL, hostname: 'x'.repeat(65) }, `the kernel refuses hostname "${'x'.repeat(65)}"`],
  [{ types: ALL, sysctls: { 'net.none.such': '1' } }, 'the kernel refuses "1" for sysctl "net.none.such"'],
  [
    { types: ALL, sysctls: { 'kernel.shmmni': 'many' } },
    'the kernel refuses "many" for sysctl "kernel.shmmni"',
  ],
] as [Omit<PinOptions, 'dir'>, string][])(
  'pinNamespaces() refuses %j and leaves nothing',
  async (options, message) => {
    using dir = pinDir();
    mkdirSync(dir.path);
    const before = ours();
    expect(() => {
      pinNamespaces({ dir: dir.path, ...options });
    }).toThrow(message);
    expect([ours(), await mountsUnder(dir.path), readdirSync(dir.path)]).toEqual([before, [], []]);
  },
);

test('unpinNamespaces() lets go of them, and may be repeated', () => {
  using dir = pinDir();
  pinNamespaces({ dir: dir.path, types: ALL });
  expect(ALL.map((type) => isPinned(dir.join(type)))).toEqual([true, true, true]);
  unpinNamespaces(dir.path);
  unpinNamespaces(dir.path);
  expect(ALL.map((type) => isPinned(dir.join(type)))).toEqual([false, false, false]);
  expect(readdirSync(dir.path)).toEqual([]);
});

test('inNetworkNamespace() runs a function in the namespace, where only the loopback interface is, and up', () => {
  using dir = pinDir();
  const [before] = ours();
  pinNamespaces({ dir: dir.path, types: ['net'] });
  expect(inNetworkNamespace(dir.join('net'), () => Object.keys(networkInterfaces()))).toEqual(['lo']);
  expect(ours()[0]).toBe(before);
});

test('inNetworkNamespace() comes back when the function fails', () => {
  using dir = pinDir();
  const [before] = ours();
  pinNamespaces({ dir: dir.path, types: ['net'] });
  expect(() =>
    inNetworkNamespace(dir.join('net'), () => {
      throw new Error('oops');
    }),
  ).toThrow('oops');
  expect(ours()[0]).toBe(before);
});

test('inNetworkNamespace() refuses what is no network namespace', () => {
  expect(() => inNetworkNamespace('/proc/self/ns/uts', () => 1)).toThrow('EINVAL');
  expect(() => inNetworkNamespace('/nonexistent', () => 1)).toThrow('ENOENT');
});
