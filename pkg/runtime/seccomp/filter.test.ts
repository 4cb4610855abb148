// What filters do to real processes. Perl makes system calls by number.

import { describe, expect, test } from 'vitest';
import { toOciCapabilities } from '../capabilities.ts';
import { effectiveCapabilities } from '../../sys/capability.ts';
import { RUNTIMES, TestNode } from '../testing/test-node.ts';
import { parseProfile } from './custom-profile.ts';
import { defaultProfile } from './default-profile.ts';
import type { SeccompProfile } from './profile.ts';

/** Numbers of system calls, by what `process.arch` says. */
const NUMBERS = {
  x64: {
    ...{
      bpf: 321,
      clone: 56,
      clone3: 435,
      io_uring_setup: 425,
      keyctl: 250,
      mount: 165,
      open_by_handle_at: 304,
    },
    ...{ perf_event_open: 298, personality: 135, setns: 308, socket: 41, unshare: 272, userfaultfd: 323 },
  },
  arm64: {
    ...{
      bpf: 280,
      clone: 220,
      clone3: 435,
      io_uring_setup: 425,
      keyctl: 219,
      mount: 40,
      open_by_handle_at: 265,
    },
    ...{ perf_event_open: 241, personality: 92, setns: 268, socket: 198, unshare: 97, userfaultfd: 282 },
  },
}[process.arch as 'x64' | 'arm64'];

type Name = keyof typeof NUMBERS;

/** Perl and glibc, of the host. */
const GLIBC = ['/usr', '/lib', '/lib64'].map((path) => ({
  source: path,
  destination: path,
  readonly: true,
}));

interface Subject {
  readonly seccomp?: SeccompProfile | undefined;
  readonly add?: readonly string[];
}

/** The errno of each call, in a process that has been put into a running container. */
async function errnoOf(
  node: TestNode,
  calls: readonly (readonly [Name, ...(number | string)[]])[],
  { seccomp, add = [] }: Subject,
): Promise<number[]> {
  const container = await node.run(['sleep', '1000'], {
    spec: { seccomp, mounts: GLIBC, capabilities: { add, drop: [], ambient: [] } },
  });
  const script = calls
    .map(([name, ...args]) => [NUMBERS[name], ...args].join(', '))
    .map((args) => `$! = 0; syscall(${args}); print $! + 0, "\\n";`)
    .join(' ');
  const { stdout, stderr } = await node.exec(container, ['/usr/bin/perl', '-e', script]);
  expect(stderr.toString()).toBe('');
  return stdout.toString().trim().split('\n').map(Number);
}

async function boundingSet(add: readonly string[] = []): Promise<readonly string[]> {
  return toOciCapabilities({ add, drop: [], ambient: [] }, await effectiveCapabilities()).bounding;
}

const [EPERM, EINVAL, ENOSYS] = [1, 22, 38];
/** Arguments of mount; Perl passes strings only from variables. */
const TMPFS = ['my $source = "none"', 'my $target = "/tmp"', 'my $type = "tmpfs"', 0, 0];
const CLONE_NEWUSER = 0x1000_0000;
const CLONE_NEWUTS = 0x0400_0000;
const SIGCHLD = 17;

describe.each(Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[])('with %s', (runtime) => {
  test('the default filter refuses what would reach the kernel or the node', async () => {
    await using node = await TestNode.open(runtime);
    const errors = await errnoOf(
      node,
      [
        ['io_uring_setup', 1, 0],
        ['unshare', CLONE_NEWUSER],
        ['mount', ...TMPFS],
        ['setns', 0, 0],
        ['keyctl', 0, 0],
        ['bpf', 0, 0, 0],
        ['perf_event_open', 0, 0, 0, 0, 0],
        ['userfaultfd', 0],
        ['open_by_handle_at', 0, 0, 0],
        ['clone', CLONE_NEWUSER + SIGCHLD, 0, 0, 0, 0],
      ],
      { seccomp: defaultProfile(await boundingSet()) },
    );
    expect(errors).toEqual(errors.map(() => EPERM));
  });

  test('clone3 is missing, so that libraries fall back to clone', async () => {
    await using node = await TestNode.open(runtime);
    const seccomp = defaultProfile(await boundingSet());
    expect(await errnoOf(node, [['clone3', 0, 0]], { seccomp })).toEqual([ENOSYS]);
    expect(await errnoOf(node, [['clone3', 0, 0]], {})).toEqual([EINVAL]);
  });

  test('address families and personalities are allowed by name, whatever the upper half of a register says', async () => {
    await using node = await TestNode.open(runtime);
    const [afUnix, afAlg, afVsock, upperHalf] = [1, 38, 40, 2 ** 32];
    const errors = await errnoOf(
      node,
      [
        ['socket', afUnix, 1, 0],
        ['socket', afAlg, 5, 0],
        ['socket', afVsock, 1, 0],
        ['socket', upperHalf + afUnix, 1, 0],
        ['socket', upperHalf + afAlg, 5, 0],
        ['socket', upperHalf + afVsock, 1, 0],
        ['personality', 0xffff_ffff],
        ['personality', 0x0004_0000], // ADDR_NO_RANDOMIZE
      ],
      { seccomp: defaultProfile(await boundingSet()) },
    );
    expect(errors).toEqual([0, EPERM, EPERM, 0, EPERM, EPERM, 0, EPERM]);
  });

  test('a capability opens the calls that it is for', async () => {
    await using node = await TestNode.open(runtime);
    const add = ['SYS_ADMIN'];
    const errors = await errnoOf(
      node,
      [
        ['unshare', CLONE_NEWUTS],
        ['mount', ...TMPFS],
        ['clone3', 0, 0],
        ['keyctl', 0, 0],
      ],
      { add, seccomp: defaultProfile(await boundingSet(add)) },
    );
    expect(errors).toEqual([0, 0, EINVAL, EPERM]);
  });

  test('the program and what is put beside it have the filter, and a shell works', async () => {
    await using node = await TestNode.open(runtime);
    const show =
      'busybox grep Seccomp: /proc/1/status /proc/self/status | busybox cut -f 2; echo $(echo a | cat)';
    const container = await node.run(['sleep', '1000'], {
      spec: { seccomp: defaultProfile(await boundingSet()) },
    });
    const { stdout } = await node.exec(container, ['sh', '-c', show]);
    expect(stdout.toString()).toBe('2\n2\na\n');
  });

  test('a large program of glibc runs: threads, processes, sockets, files', async () => {
    await using node = await TestNode.open(runtime);
    const program = `
      const { execFileSync } = require('node:child_process');
      const { once } = require('node:events');
      const { readFile } = require('node:fs/promises');
      const { connect, createServer } = require('node:net');
      const { Worker } = require('node:worker_threads');
      (async () => {
        const server = createServer((socket) => socket.end('socket')).listen('/tmp/socket');
        await once(server, 'listening');
        const [message] = await once(new Worker('require("node:worker_threads").parentPort.postMessage("thread")', { eval: true }), 'message');
        const [data] = await once(connect('/tmp/socket'), 'data');
        server.close();
        const size = (await readFile('/node')).length > 1e6 ? 'file' : '';
        console.log(message, String(data), size, String(execFileSync('/bin/echo', ['process'])).trim());
      })();`;
    const container = await node.run(['sleep', '1000'], {
      spec: {
        seccomp: defaultProfile(await boundingSet()),
        mounts: [...GLIBC, { source: process.execPath, destination: '/node', readonly: true }],
      },
    });
    const { stdout, stderr } = await node.exec(container, ['/node', '-e', program]);
    expect(`${stdout.toString()}${stderr.toString()}`).toBe('thread socket file process\n');
  });

  test('a profile of the node holds, with names that no libseccomp knows', async () => {
    await using node = await TestNode.open(runtime);
    const text = JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      archMap: [{ architecture: 'SCMP_ARCH_X86_64' }, { architecture: 'SCMP_ARCH_AARCH64' }],
      syscalls: [
        { names: ['keyctl', 'call_of_tomorrow'], action: 'SCMP_ACT_ERRNO', errno: 'ENOSYS' },
        { names: ['unshare'], action: 'SCMP_ACT_ERRNO', errnoRet: 77, excludes: { caps: ['CAP_SYS_BOOT'] } },
      ],
    });
    const circumstances = { capabilities: [], architecture: process.arch, kernel: '6.1' };
    const seccomp = parseProfile(text, 'profile', circumstances);
    expect(
      await errnoOf(
        node,
        [
          ['keyctl', 0, 0],
          ['unshare', CLONE_NEWUTS],
        ],
        { seccomp },
      ),
    ).toEqual([ENOSYS, 77]);
  });
});
