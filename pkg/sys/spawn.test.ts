import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { spawn as nodeSpawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { openPipe, readableFd } from './pipe.ts';
import { signal } from './process.ts';
import { spawn } from './spawn.ts';
import { eventually } from './testing/eventually.ts';
import { readText } from './testing/read-text.ts';
import { tempDir } from './testing/temp-dir.ts';

const shell = (script: string) => ({ file: '/bin/sh', args: ['-c', script] });

test('spawn() runs a program and reports its exit code', async () => {
  expect(await spawn(shell('exit 7')).exited).toEqual({ kind: 'exited', code: 7 });
});

test('spawn() reports which signal ended a program', async () => {
  expect(await spawn(shell('kill -9 $$')).exited).toEqual({ kind: 'signalled', signal: 9 });
});

test('spawn() connects the standard streams', async () => {
  const child = spawn({ ...shell('cat; echo oops >&2'), stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' });
  child.stdin?.end('hello');
  expect(await Promise.all([readText(child.stdout), readText(child.stderr)])).toEqual(['hello', 'oops']);
  await child.exited;
});

test('spawn() gives /dev/null where nothing is asked for', async () => {
  const child = spawn({ ...shell('cat; echo out; echo err >&2'), stdout: 'pipe' });
  expect(await readText(child.stdout)).toBe('out');
  expect([child.stdin, child.stderr]).toEqual([undefined, undefined]);
  expect(await child.exited).toEqual({ kind: 'exited', code: 0 });
});

test('spawn() joins stderr to stdout, in order', async () => {
  const child = spawn({ ...shell('echo 1; echo 2 >&2; echo 3'), stdout: 'pipe', stderr: 'stdout' });
  expect(await readText(child.stdout)).toBe('1\n2\n3');
  await child.exited;
});

test('spawn() passes descriptors of ours, which stay open here', async () => {
  using dir = tempDir();
  const fd = openSync(dir.join('out'), 'w');
  const child = spawn({ ...shell('echo out; echo err >&2'), stdout: fd, stderr: fd });
  await child.exited;
  closeSync(fd);
  expect(readFileSync(dir.join('out'), 'utf8')).toBe('out\nerr\n');
});

test('spawn() passes more descriptors under the numbers asked for, exchanged ones and the same ones too', async () => {
  using dir = tempDir();
  for (const name of ['a', 'b', 'c']) writeFileSync(dir.join(name), name);
  const [a = 0, b = 0, c = 0] = ['a', 'b', 'c'].map((name) => openSync(dir.join(name), 'r'));
  const files = [a, b, c, 3].map((fd) => `/proc/self/fd/${fd}`);
  const child = spawn({
    file: '/bin/cat',
    args: files,
    stdout: 'pipe',
    fds: [
      { childFd: a, fd: b },
      { childFd: b, fd: a },
      { childFd: c, fd: c },
      { childFd: 3, fd: c },
    ],
  });
  for (const fd of [a, b, c]) closeSync(fd);
  expect(await readText(child.stdout)).toBe('bacc');
  expect(await child.exited).toEqual({ kind: 'exited', code: 0 });
});

test('spawn() keeps every other descriptor from the child', async () => {
  using dir = tempDir();
  const fd = openSync(dir.join('x'), 'w');
  const child = spawn({
    ...shell('for fd in /proc/$$/fd/*; do echo ${fd##*/}; done'),
    stdout: 'pipe',
    fds: [{ childFd: 9, fd }],
  });
  closeSync(fd);
  expect((await readText(child.stdout)).split('\n')).toEqual(['0', '1', '2', '3', '9']); // 3 is /proc/…/fd, being read
  await child.exited;
});

test('spawn() leaves no descriptor of the parent open, also when the program does not start', async () => {
  await spawn({ ...shell('true'), stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' }).exited;
  const before = await settledFds();
  const child = spawn({ ...shell('true'), stdin: 'pipe', stdout: 'pipe', stderr: 'pipe' });
  child.stdin?.end();
  child.stdout?.resume();
  child.stderr?.resume();
  await child.exited;
  expect(() => spawn({ file: '/nonexistent', args: [], stdin: 'pipe', stdout: 'pipe' })).toThrow();
  await eventually(() => openFds().length <= before);
});

const openFds = () => readlinks('/proc/self/fd').filter((target) => target.startsWith('pipe:'));

function readlinks(dir: string): string[] {
  return Array.from({ length: 256 }, (_, fd) => {
    try {
      return readlinkSync(`${dir}/${fd}`);
    } catch {
      return '';
    }
  });
}

async function settledFds(): Promise<number> {
  await new Promise(setImmediate);
  return openFds().length;
}

test('spawn() uses the environment and the directory it is given, and none of ours', async () => {
  using dir = tempDir();
  const given = spawn({ file: '/usr/bin/env', args: [], env: { A: 'é=1' }, stdout: 'pipe' });
  const absent = spawn({ file: '/usr/bin/env', args: [], stdout: 'pipe' });
  const pwd = spawn({ file: '/bin/pwd', args: [], cwd: dir.path, stdout: 'pipe' });
  const texts = await Promise.all([given, absent, pwd].map((child) => readText(child.stdout)));
  expect(texts).toEqual(['A=é=1', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', dir.path]);
});

test('spawn() says which program cannot be started, and why', () => {
  const program = { file: '/nonexistent/runc', args: [] };
  expect(() => spawn(program)).toThrow('cannot start "/nonexistent/runc": no such file or directory');
  const inDirectory = () => spawn({ ...shell('true'), cwd: '/nonexistent' });
  expect(inDirectory).toThrow('cannot start "/bin/sh" in "/nonexistent": no such file or directory');
  expect(() => spawn({ ...shell('true'), env: { A: 'x'.repeat(200_000) } })).toThrow(
    'argument list too long',
  );
});

test('spawn() passes a long list of arguments whole', async () => {
  const args = Array.from({ length: 5000 }, (_, index) => `${index}-${'x'.repeat(100)}`);
  const child = spawn({ file: '/bin/echo', args, stdout: 'pipe' });
  expect(await readText(child.stdout)).toBe(args.join(' '));
});

test('spawn() refuses a zero byte, which would cut the argument off', () => {
  expect(() => spawn({ file: '/bin/echo', args: ['a\0b'] })).toThrow(
    'an argument for "/bin/echo" contains a zero byte',
  );
});

test('spawn() gives the child default signal handlers and blocks none', async () => {
  const child = spawn({
    file: '/bin/grep',
    args: ['-E', '^Sig(Blk|Ign)', '/proc/self/status'],
    stdout: 'pipe',
  });
  expect(await readText(child.stdout)).toBe('SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000');
});

test('spawn() starts a new session when asked', async () => {
  const child = spawn({ ...shell('cut -d" " -f6 /proc/$$/stat; echo $$'), stdout: 'pipe', newSession: true });
  const [session, pid] = (await readText(child.stdout)).split('\n');
  expect([session, pid]).toEqual([String(child.pid), String(child.pid)]);
});

test('a child that does not read its input is no error', async () => {
  const child = spawn({ ...shell('exec <&-; exit 0'), stdin: 'pipe' });
  child.stdin?.write(Buffer.alloc(1_000_000));
  expect(await child.exited).toEqual({ kind: 'exited', code: 0 });
});

test('spawn() and the children of Node do not take each other their exit codes', async () => {
  const theirs = Array.from({ length: 20 }, async (_, code) => {
    const [exitCode] = (await once(nodeSpawn('/bin/sh', ['-c', `exit ${code}`]), 'exit')) as [number];
    return exitCode;
  });
  const ours = Array.from({ length: 200 }, (_, index) => spawn(shell(`exit ${index}`)).exited);
  expect(await Promise.all(theirs)).toEqual(Array.from({ length: 20 }, (_, code) => code));
  expect(await Promise.all(ours)).toEqual(
    Array.from({ length: 200 }, (_, code) => ({ kind: 'exited', code })),
  );
});

test('a child that nobody else waits for keeps the program running until it ends', async () => {
  const script = `
    import { spawn } from '${new URL('./spawn.ts', import.meta.url).pathname}';
    process.stdout.write(JSON.stringify(await spawn({ file: '/bin/sleep', args: ['0.2'] }).exited));`;
  const node = spawn({ file: process.execPath, args: ['--input-type=module', '-e', script], stdout: 'pipe' });
  expect(await readText(node.stdout)).toBe('{"kind":"exited","code":0}');
});

test('openPipe() makes a pipe that a child can be given', async () => {
  const { readFd, writeFd } = openPipe();
  const child = spawn({ ...shell('echo hello >&4'), fds: [{ childFd: 4, fd: writeFd }] });
  closeSync(writeFd);
  expect(await readText(readableFd(readFd))).toBe('hello');
  await child.exited;
});

test('the identity of a child is that of its process', async () => {
  const child = spawn({ file: '/bin/sleep', args: ['100'] });
  expect(child.identity).toEqual({
    pid: child.pid,
    startTicks: expect.stringMatching(/^[1-9]\d*$/) as string,
  });
  await signal(child.identity, 'SIGKILL');
  await child.exited;
});
