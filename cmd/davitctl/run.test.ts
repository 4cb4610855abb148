// davitctl run, exec and logs: what is asked of the runtime, what comes out, and what is left behind.

import { appendFile, readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ContainerState, NamespaceMode, Protocol } from '../../api/cri/generated/types.ts';
import { Fault } from '../../pkg/base/fault.ts';
import { ago, FakeRuntime, populate, runDavitctl } from './testing/fake-runtime.ts';

let fake: FakeRuntime;
let logFile: string;
beforeEach(async () => {
  fake = await FakeRuntime.start();
  logFile = join(fake.dir, 'c.log');
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

test('run pulls what is absent, makes a pod and a container, and prints them', async () => {
  fake.podStatus = { network: { ip: '10.88.0.5' } };
  const { status, out, err } = await fake.run(
    'run',
    '--log-dir',
    'logs',
    '--name',
    'web',
    'nginx',
    '-g',
    'x',
  );
  expect({ status, out, err }).toEqual({
    status: 0,
    out: 'pod        pod-new        default/web\ncontainer  container-new  web\naddress    10.88.0.5\n',
    err: 'pulling nginx\n',
  });
  expect(fake.calls).toEqual([
    'PullImage nginx',
    'RunPodSandbox',
    'CreateContainer',
    'StartContainer container-new',
  ]);
  expect(fake.containerConfig).toMatchObject({ args: ['-g', 'x'], command: [], image: { image: 'nginx' } });
  expect(await readdir(join(fake.dir, 'logs'))).toEqual([
    `default_web_${fake.podConfig?.metadata?.uid ?? ''}`,
  ]);
});

test('run --json prints ids for machines', async () => {
  const { out } = await fake.run('run', '--json', '--log-dir', 'logs', '--name', 'web', 'nginx');
  expect(JSON.parse(out)).toEqual({
    pod: { id: 'pod-new', name: 'web', namespace: 'default', ip: '' },
    container: { id: 'container-new', name: 'web', image: 'nginx' },
  });
});

test('run hands every option over', async () => {
  const options = [
    '--log-dir logs -n prod -p 127.0.0.1:8080:80/udp -p [::1]:53:53 -e A=1=2 -e B= -v /srv:/data:ro -l app=web',
    '-u 1000:2000 --workdir /w --hostname h -m 64m --cpus 0.5 --privileged --read-only --runtime crun --host-pid',
    '--entrypoint /bin/sh',
  ];
  await fake.run('run', ...options.join(' ').split(' '), 'registry:5000/team/Web_App:2');
  expect(fake.calls).toContain('RunPodSandbox crun');
  expect(fake.podConfig).toMatchObject({
    metadata: { name: expect.stringMatching(/^web-app-[0-9a-f]{4}$/) as unknown, namespace: 'prod' },
    hostname: 'h',
    labels: { app: 'web', 'io.kubernetes.pod.namespace': 'prod' },
    portMappings: [
      { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80, protocol: Protocol.UDP },
      { hostIp: '::1', hostPort: 53, containerPort: 53, protocol: Protocol.TCP },
    ],
    linux: { securityContext: { namespaceOptions: { pid: NamespaceMode.NODE }, privileged: true } },
  });
  expect(fake.containerConfig).toMatchObject({
    metadata: { name: 'web-app' },
    command: ['/bin/sh'],
    envs: [
      { key: 'A', value: Buffer.from('1=2') },
      { key: 'B', value: Buffer.alloc(0) },
    ],
    workingDir: '/w',
    mounts: [{ hostPath: '/srv', containerPath: '/data', readonly: true }],
    linux: {
      resources: { memoryLimitInBytes: 67_108_864n, cpuQuota: 50_000n, cpuPeriod: 100_000n },
      securityContext: {
        privileged: true,
        readonlyRootfs: true,
        runAsUser: { value: 1000n },
        runAsGroup: { value: 2000n },
      },
    },
  });
});

test('run says when the container has ended already, and how', async () => {
  fake.containerStatus = { state: ContainerState.CONTAINER_EXITED, exitCode: 127, reason: 'Error' };
  expect(await fake.run('run', '--log-dir', 'logs', 'nginx')).toMatchObject({
    status: 1,
    err: 'pulling nginx\nit has ended already: Error 127; see davitctl logs container-new\n',
  });
});

test('run takes everything away again when the container cannot be made', async () => {
  await using failing = await FakeRuntime.start({
    createContainer: () => Promise.reject(new Fault('invalid_argument', 'no such mount source "/x"')),
  });
  expect(await failing.run('run', '--log-dir', 'logs', 'nginx')).toMatchObject({
    status: 1,
    err: 'pulling nginx\ndavitctl run: no such mount source "/x"\n',
  });
  expect(failing.calls.slice(2)).toEqual(['StopPodSandbox pod-new', 'RemovePodSandbox pod-new']);
  expect(await readdir(join(failing.dir, 'logs'))).toEqual([]);
});

test('run --rm shows the log, exits as the container did, and leaves nothing', async () => {
  await writeFile(logFile, logLine('stdout', 'F', 'hello') + logLine('stderr', 'F', 'oops'));
  fake.containerStatus = { state: ContainerState.CONTAINER_EXITED, exitCode: 3, logPath: logFile };
  expect(await fake.run('run', '--rm', '--log-dir', 'logs', 'nginx')).toEqual({
    status: 3,
    out: 'hello\n',
    err: 'pulling nginx\noops\n',
  });
  expect(fake.calls.slice(-2)).toEqual(['StopPodSandbox pod-new', 'RemovePodSandbox pod-new']);
});

test('rmp removes the log of a pod that run made, and of no other', async () => {
  await fake.run('run', '--log-dir', 'logs', '--name', 'web', 'nginx');
  const { metadata, annotations } = fake.podConfig ?? {};
  const precious = { 'davitctl/log-directory': fake.dir };
  fake.pods = [
    { id: 'evil', metadata: { ...metadata, name: 'evil' }, annotations: precious },
    { id: 'web', metadata, annotations },
  ];
  await fake.run('rmp', '-f', 'evil', 'web');
  expect((await readdir(fake.dir)).toSorted()).toEqual(['logs', 's']);
  expect(await readdir(join(fake.dir, 'logs'))).toEqual([]);
});

test('exec passes bytes and the exit status on, and leaves the options of the command alone', async () => {
  await using runtime = await FakeRuntime.start({
    execSync: (_call, { containerId, cmd, timeout }) =>
      Promise.resolve({
        stdout: Buffer.from(`${containerId.slice(0, 1)} ${cmd.join(' ')} ${String(timeout)}`),
        stderr: Buffer.from('err'),
        exitCode: 42,
      }),
  });
  populate(runtime);
  expect(await runtime.run('exec', '-t', '5', 'nginx', 'ls', '-l', '--json')).toEqual({
    status: 42,
    out: 'c ls -l --json 5',
    err: 'err',
  });
});

test('logs keeps the streams apart and joins partial lines', async () => {
  await showLogOf(
    logLine('stdout', 'P', 'hel') +
      logLine('stdout', 'F', 'lo') +
      logLine('stderr', 'F', 'oops') +
      logLine('stdout', 'P', '$ '),
  );
  expect(await fake.run('logs', 'nginx')).toEqual({ status: 0, out: 'hello\n$ ', err: 'oops\n' });
});

test.each([
  ['0', ''],
  ['2', 'line 99998\nline 99999\n'],
  ['all', 'line 0\n'],
])('logs --tail %s begins where it should', async (tail, beginning) => {
  await showLogOf(Array.from({ length: 100_000 }, (_, i) => logLine('stdout', 'F', `line ${i}`)).join(''));
  const { out } = await fake.run('logs', '--tail', tail, 'nginx');
  expect(out.slice(0, beginning.length || 1)).toBe(beginning);
});

test('logs --since leaves out what is older, by duration or by time', async () => {
  await showLogOf(logLine('stdout', 'F', 'old', 3600) + logLine('stdout', 'F', 'new', 60));
  expect((await fake.run('logs', '--since', '1m30s', 'nginx')).out).toBe('new\n');
  expect((await fake.run('logs', '--since', '2026-11-21T11:59:00Z', 'nginx')).out).toBe('new\n');
  expect((await fake.run('logs', '--since', '2h', '-t', 'nginx')).out).toContain(
    '2026-11-21T11:00:00.000Z old\n',
  );
});

test('logs shows what it can of a log with a broken line', async () => {
  await showLogOf(`${logLine('stdout', 'F', 'a')}broken\n${logLine('stdout', 'F', 'b')}`);
  expect(await fake.run('logs', 'nginx')).toMatchObject({
    status: 0,
    out: 'a\nb\n',
    err: expect.stringContaining('broken') as unknown,
  });
});

test('logs -f goes on through a rotation and ends with the container', async () => {
  await showLogOf(logLine('stdout', 'F', 'one'));
  fake.containerStatus = { ...fake.containerStatus, state: ContainerState.CONTAINER_RUNNING };
  const written: string[] = [];
  const following = runDavitctl(['--socket', fake.socketPath, 'logs', '-f', 'nginx'], {
    write: (bytes) => {
      written.push(Buffer.from(bytes).toString());
      return Promise.resolve();
    },
  });
  await expect.poll(() => written).toEqual(['one\n']);
  await rename(logFile, `${logFile}.1`);
  await appendFile(`${logFile}.1`, logLine('stdout', 'F', 'two')); // still the old file
  await expect.poll(() => written).toEqual(['one\n', 'two\n']);
  await appendFile(`${logFile}.1`, logLine('stdout', 'F', 'three'));
  await writeFile(logFile, logLine('stdout', 'F', 'four'));
  await expect.poll(() => written).toEqual(['one\n', 'two\n', 'three\n', 'four\n']);
  await appendFile(logFile, logLine('stdout', 'F', 'five'));
  fake.containerStatus = { ...fake.containerStatus, state: ContainerState.CONTAINER_EXITED };
  expect((await following).status).toBe(0);
  expect(written.at(-1)).toBe('five\n');
});

test('logs -f ends when the user wants it to', async () => {
  await showLogOf(logLine('stdout', 'F', 'one'));
  fake.containerStatus = { ...fake.containerStatus, state: ContainerState.CONTAINER_RUNNING };
  const user = new AbortController();
  const following = runDavitctl(['--socket', fake.socketPath, 'logs', '-f', 'nginx'], {
    signal: user.signal,
    write: () => {
      user.abort();
      return Promise.resolve();
    },
  });
  expect(await following).toEqual({ status: 0, out: '', err: '' });
});

test('logs of a container without a log, or with a missing file, says so', async () => {
  populate(fake);
  expect((await fake.run('logs', 'nginx')).err).toContain('was made without a log');
  fake.containerStatus = { logPath: join(fake.dir, 'gone') };
  expect((await fake.run('logs', 'nginx')).err).toContain('ENOENT');
});

async function showLogOf(text: string): Promise<void> {
  populate(fake);
  await writeFile(logFile, text);
  fake.containerStatus = { logPath: logFile, state: ContainerState.CONTAINER_EXITED };
}

function logLine(stream: 'stdout' | 'stderr', tag: 'P' | 'F', text: string, secondsAgo = 0): string {
  const time = new Date(Number(ago(secondsAgo) / 1_000_000n)).toISOString();
  return `${time} ${stream} ${tag} ${text}\n`;
}
