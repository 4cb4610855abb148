import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { isAlive } from '../sys/process-identity.ts';
import { eventually, RUNTIMES, TestNode } from './testing/test-node.ts';
import { oomKilled } from './oom-killed.ts';

describe.each(Object.keys(RUNTIMES) as (keyof typeof RUNTIMES)[])('with %s', (runtime) => {
  test('a container runs, writes its log and leaves its exit code', async () => {
    await using node = await TestNode.open(runtime);
    const container = await node.create(['sh', '-c', 'echo out; echo err >&2; printf half; exit 7']);
    expect(await isAlive(container.shim)).toBe(true);
    expect((await node.cli.state(testCall, node.handler, container.id))?.status).toBe('created');
    const before = BigInt(Date.now()) * 1_000_000n;
    await node.start(container);
    const { exitCode, finishedAtNs } = await node.exited(container);
    expect(exitCode).toBe(7);
    expect(finishedAtNs).toBeGreaterThanOrEqual(before);
    expect(node.log(container).sort()).toEqual(['stderr F err', 'stdout F out', 'stdout P half']);
    expect(await oomKilled(container.bundle)).toBe(false);
  });

  test('kill() ends the container and delete() leaves nothing', async () => {
    await using node = await TestNode.open(runtime);
    const container = await node.run(['sleep', '1000']);
    const { process, id } = container;
    expect(await node.cli.kill(testCall, node.handler, id, { signal: 'SIGKILL' })).toBe(true);
    expect((await node.exited(container)).exitCode).toBe(137);
    await node.cli.delete(testCall, node.handler, id, { force: false });
    await node.cli.delete(testCall, node.handler, id, { force: false });
    expect(await node.cli.state(testCall, node.handler, id)).toBeUndefined();
    expect(await node.cli.kill(testCall, node.handler, id, { signal: 'SIGKILL' })).toBe(false);
    expect(await isAlive(process)).toBe(false);
    expect(await node.cgroups.exists(container.cgroupPath)).toBe(false);
  });

  test('create() says which program is missing, and leaves nothing', async () => {
    await using node = await TestNode.open(runtime);
    const request = node.prepare(['nosuch']);
    await expect(node.conmon.create(testCall, request)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(
        new RegExp(`^cannot create container "${request.id}": .*nosuch.* not found in \\$PATH`),
      ) as string,
    });
    await node.cli.delete(testCall, node.handler, request.id, { force: true });
    expect(await node.cgroups.exists(node.paths(request.id).cgroupPath)).toBe(false);
  });
});

test('reopenLog() goes on in a new file and loses no line', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sh', '-c', 'echo one; sleep 1000']);
  await eventually('the first line is there', () => node.log(container).length === 1);
  renameSync(container.logPath, `${container.logPath}.1`);
  await node.conmon.reopenLog(testCall, container, container.logPath);
  expect(existsSync(container.logPath)).toBe(true);
  const second = await node.exec(container, ['sh', '-c', 'echo three > /proc/1/fd/1']);
  expect(second.exitCode).toBe(0);
  await eventually('the next line is there', () => node.log(container).includes('stdout F three'));
  expect(node.log({ logPath: `${container.logPath}.1` })).toEqual(['stdout F one']);
  expect(node.log(container)).toEqual(['stdout F three']);
});

test('a line is cut into partial ones of at most 8 KiB and a full one, wherever its end falls', async () => {
  await using node = await TestNode.open('runc');
  const lines = [8190, 8191, 8192, 8193, 16_383, 16_384, 16_385].map((length) => 'x'.repeat(length));
  const request = node.prepare([
    'sh',
    '-c',
    'for i in $(cat /tmp/all); do busybox dd if=/tmp/$i bs=64k; done',
  ]);
  const dir = join(request.bundle, 'rootfs/tmp');
  for (const line of lines) writeFileSync(join(dir, String(line.length)), `${line}\n`);
  writeFileSync(join(dir, 'all'), lines.map(({ length }) => length).join(' '));
  const container = await node.startPrepared(request);
  await node.exited(container);
  const parts = node.log(container).filter((part) => part.startsWith('stdout '));
  const contents = parts.map((part) => part.slice('stdout F '.length));
  expect(Math.max(...contents.map(({ length }) => length))).toBeLessThanOrEqual(8192);
  const text = parts
    .map((part, index) => `${contents[index]}${part.startsWith('stdout F') ? '\n' : ''}`)
    .join('');
  expect(text.split('\n').slice(0, -1)).toEqual(lines);
  expect(text.endsWith('x\n')).toBe(true);
});

test('reopenLog() leaves a log alone that is still in place', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sh', '-c', 'echo one; sleep 1000']);
  await eventually('the first line is there', () => node.log(container).length === 1);
  await node.conmon.reopenLog(testCall, container, container.logPath);
  expect(node.log(container)).toEqual(['stdout F one']);
});

test('reopenLog() does not kill conmon when the directory of the log is gone', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  const reopening = node.conmon.reopenLog(testCall, container, join(node.dir, 'nosuch', '0.log'));
  await expect(reopening).rejects.toMatchObject({ code: 'failed_precondition' });
  expect(await isAlive(container.shim)).toBe(true);
});

test('reopenLog() says that conmon is gone', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['true']);
  await node.exited(container);
  await eventually('conmon has ended', () => !existsSync(`/proc/${container.shim.pid}/exe`));
  renameSync(container.logPath, `${container.logPath}.1`);
  const reopening = node.conmon.reopenLog(testCall, container, container.logPath);
  await expect(reopening).rejects.toMatchObject({ code: 'failed_precondition' });
  expect(existsSync(container.logPath)).toBe(false);
});

test('create() refuses a log path that conmon would read otherwise', async () => {
  await using node = await TestNode.open('runc');
  const creating = node.create(['true'], { shim: { logPath: '/tmp/a:b.log' } });
  await expect(creating).rejects.toMatchObject({ code: 'invalid_argument' });
});

test('create() says why conmon cannot write the log', async () => {
  await using node = await TestNode.open('runc');
  const creating = node.create(['true'], { shim: { logPath: join(node.dir, 'nosuch', '0.log') } });
  await expect(creating).rejects.toMatchObject({
    code: 'internal',
    message: expect.stringContaining('Failed to open log file') as string,
  });
});

test('create() gives up when the caller does, and what is left can be deleted', async () => {
  await using node = await TestNode.open('runc');
  const slow = join(node.dir, 'slow-runtime');
  writeFileSync(slow, '#!/bin/sh\nexec sleep 1000\n', { mode: 0o755 });
  const request = { ...node.prepare(['true']), handler: { ...node.handler, path: slow } };
  const creating = node.conmon.create({ ...testCall, signal: AbortSignal.timeout(300) }, request);
  await expect(creating).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('a container without a log path runs', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['echo', 'hello'], { shim: { logPath: '' } });
  expect((await node.exited(container)).exitCode).toBe(0);
  expect(existsSync(container.logPath)).toBe(false);
});

test('a container with a terminal has one, of the size that it is told', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sh', '-c', 'stty size; sleep 1000'], {
    spec: { tty: true, args: ['busybox', 'sh', '-c', 'while sleep 0.05; do busybox stty size; done'] },
    shim: { tty: true },
  });
  await node.conmon.resize(testCall, container, { rows: 33, columns: 101 });
  await eventually('the size is known inside', () =>
    node.log(container).some((line) => line.includes('33 101')),
  );
});

test('a container that uses more memory than it may is reported as killed for it', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sh', '-c', 'head -c 60000000 /dev/zero | busybox tail'], {
    spec: { resources: { memoryLimitBytes: 16n * 1024n * 1024n } },
  });
  await node.exited(container);
  expect(await oomKilled(container.bundle)).toBe(true);
});

test('update() changes the limits of a running container', async () => {
  await using node = await TestNode.open('runc');
  const container = await node.run(['sleep', '1000']);
  const resources = { memoryLimitBytes: 64n * 1024n * 1024n, cpuShares: 512n };
  await node.cli.update(testCall, node.handler, container.id, resources);
  expect(await node.cgroups.memoryLimitBytes(container.cgroupPath)).toBe(64n * 1024n * 1024n);
});

test('the daemon can go away while a container runs', async () => {
  await using node = await TestNode.open('runc');
  const { shim } = await node.run(['sleep', '1000']);
  const stat = readFileSync(`/proc/${shim.pid}/stat`, 'utf8');
  const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  expect(parent).not.toBe(process.pid);
});
