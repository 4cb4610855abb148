// The operator's tool, as an operator uses it: bin/davitctl against the daemon.

import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { eventually } from './harness/eventually.ts';
import { writeOciArchive } from './harness/image-archive.ts';
import { buildImage } from './harness/image-builder.ts';
import { Registry } from './harness/registry.ts';
import { TEST_IMAGE } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

interface Said {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function start(...args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(join(import.meta.dirname, '../../bin/davitctl'), args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DAVIT_SOCKET: node.place.socket },
  });
}

async function davitctl(...args: readonly string[]): Promise<Said> {
  const child = start(...args);
  const ended = once(child, 'exit');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await ended;
  return { status: child.exitCode, out, err };
}

/** A pod that goes on, made by `davitctl run`. */
async function run(name: string, ...command: readonly string[]): Promise<void> {
  const logs = join(node.place.logDir, 'davitctl');
  mkdirSync(logs, { recursive: true });
  const said = await davitctl('run', '--name', name, '--log-dir', logs, TEST_IMAGE, ...command);
  expect(said).toMatchObject({ status: 0, err: '' });
}

test('run --rm shows what a command says, ends as it does, and leaves nothing', async () => {
  const logs = ['--log-dir', node.place.logDir];
  const said = await davitctl(
    'run',
    '--rm',
    ...logs,
    TEST_IMAGE,
    'sh',
    '-c',
    'echo hi; echo oops >&2; exit 3',
  );
  expect(said).toEqual({ status: 3, out: 'hi\n', err: 'oops\n' });
  expect((await node.client.listPodSandbox()).items).toEqual([]);
  expect(readdirSync(node.place.logDir).filter((name) => name.startsWith('default_'))).toEqual([]);
});

test('a container that is run is kept from the secrets of the kernel, as one of the kubelet is', async () => {
  const said = await davitctl(
    'run',
    '--rm',
    '--log-dir',
    node.place.logDir,
    TEST_IMAGE,
    'sh',
    '-c',
    'wc -c < /proc/keys',
  );
  expect(said.out).toBe('0\n');
});

test('a pod is run, listed, looked into and removed', async () => {
  await run('web', 'httpd', '-f', '-p', '80', '-h', '/www');
  expect((await davitctl('ps')).out).toMatch(/web.*Running|running.*web/is);
  expect((await davitctl('pods')).out).toContain('web');
  expect((await davitctl('exec', 'web', 'cat', '/www/index.html')).out).toBe('hello from a pod\n');
  const inspected = JSON.parse((await davitctl('inspect', '-t', 'pod', 'web')).out) as {
    metadata: { name: string };
    network: { ip: string };
  };
  expect(inspected.metadata.name).toBe('web');
  expect(await (await fetch(`http://${inspected.network.ip}/`)).text()).toBe('hello from a pod\n');
  expect((await davitctl('timeline', 'web')).out).toContain('attach network');
  expect(await davitctl('rmp', '-f', 'web')).toMatchObject({ status: 0, out: 'web\n' });
  expect((await node.client.listPodSandbox()).items).toEqual([]);
});

test('logs shows a log, its end, and what is still to come', async () => {
  await run('talker', 'sh', '-c', 'for i in 1 2 3; do echo line $i; done; sleep 0.5; echo last');
  expect((await davitctl('logs', '-f', 'talker')).out).toBe('line 1\nline 2\nline 3\nlast\n');
  expect((await davitctl('logs', '--tail', '2', 'talker')).out).toBe('line 3\nlast\n');
  await davitctl('rmp', '-f', 'talker');
});

test('logs follows a log through its rotations', async () => {
  const count = 'i=1; while [ $i -lt 400 ]; do i=$((i+1)); echo line $i; usleep 2000; done';
  await run('turner', 'sh', '-c', `echo line 1; while ! [ -e /dev/shm/go ]; do usleep 2000; done; ${count}`);
  const [{ id: containerId } = { id: '' }] = (await node.client.listContainers()).containers;
  const { status } = await node.client.containerStatus({ containerId });
  const logPath = status?.logPath ?? '';
  const following = start('logs', '-f', 'turner');
  const out = text(following.stdout);
  await once(following.stdout, 'data');
  await node.client.execSync({ containerId, cmd: ['touch', '/dev/shm/go'] });
  for (const number of [1, 2, 3]) {
    await eventually('something is written', () => readFileSync(logPath, 'utf8').split('\n').length > 30);
    renameSync(logPath, `${logPath}.${number}`);
    await node.client.reopenContainerLog({ containerId });
  }
  expect(await out).toBe(Array.from({ length: 400 }, (_, i) => `line ${i + 1}\n`).join(''));
  await davitctl('rmp', '-f', 'turner');
});

test('exec ends as its command does', async () => {
  await run('sleeper', 'sleep', '1000');
  expect(await davitctl('exec', 'sleeper', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
    status: 7,
    out: 'out\n',
    err: 'err\n',
  });
  await davitctl('rmp', '-f', 'sleeper');
});

test('stop and rm end and remove a container, and leave its pod', async () => {
  await run('gone', 'sh', '-c', 'trap "exit 0" TERM; sleep 1000 & wait');
  expect((await davitctl('stop', 'gone')).status).toBe(0);
  expect((await davitctl('ps', '-a')).out).toMatch(/exited/i);
  expect((await davitctl('rm', 'gone')).status).toBe(0);
  expect((await node.client.listContainers()).containers).toEqual([]);
  expect((await davitctl('rmp', '-f', 'gone')).status).toBe(0);
});

test('images are pulled, loaded, listed and removed', async () => {
  await using registry = await Registry.start(node.place);
  const [image, other] = await Promise.all(
    ['x', 'y'].map((data) => buildImage({ layers: [{ entries: [{ path: '/data', data }] }] })),
  );
  await registry.push('apps/x', 'v1', image!);
  const archive = join(node.place.dir, 'load.tar');
  await writeOciArchive(archive, 'davit.local/loaded:v1', other!);
  expect((await davitctl('pull', `${registry.host}/apps/x:v1`)).status).toBe(0);
  expect(await davitctl('load', archive)).toMatchObject({ status: 0, out: 'davit.local/loaded:v1\n' });
  const listed = (await davitctl('images')).out;
  expect(listed).toContain('apps/x');
  expect(listed).toContain('davit.local/loaded');
  expect((await davitctl('rmi', 'davit.local/loaded:v1')).status).toBe(0);
  expect((await davitctl('images')).out).not.toContain('davit.local/loaded');
});

test('machines are answered in JSON', async () => {
  await run('json', 'sleep', '1000');
  const pods = JSON.parse((await davitctl('pods', '--json')).out) as unknown;
  expect(JSON.stringify(pods)).toContain('"json"');
  expect(JSON.parse((await davitctl('version', '--json')).out)).toBeTypeOf('object');
  expect(JSON.parse((await davitctl('info', '--json')).out)).toBeTypeOf('object');
  await davitctl('rmp', '-f', 'json');
});

test('what is not there is told by its name, in one line', async () => {
  const said = await davitctl('exec', 'nobody', 'true');
  expect(said.status).toBe(1);
  expect(said.err).toContain('"nobody"');
  expect(said.err.trim().split('\n')).toHaveLength(1);
});

test('a wrong word is told, with where to find the right one', async () => {
  expect(await davitctl('dance')).toEqual({
    status: 2,
    out: '',
    err: 'davitctl: there is no command "dance"; davitctl --help lists them\n',
  });
});

test('a daemon that does not run is told by its socket', async () => {
  const said = await davitctl('--socket', '/tmp/no-such.sock', 'ps');
  expect(said.status).toBe(1);
  expect(said.err).toContain('/tmp/no-such.sock');
});
