// Whole commands against a runtime on a real socket.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fault } from '../../pkg/base/fault.ts';
import { COMMANDS } from './davitctl.ts';
import { FakeRuntime, populate, runDavitctl } from './testing/fake-runtime.ts';

const operations = [
  {
    method: 'RunPodSandbox',
    subject: 'shop/web',
    age: 12_340_000_000n,
    stage: 'cni add bridge',
    stageAge: 12_000_000_000n,
    within: ['attach network'],
  },
  { method: 'GetContainerEvents', subject: '', age: 3_600_000_000_000n, stage: '', stageAge: 0n },
];

const image = {
  id: `sha256:${'1'.repeat(64)}`,
  repoTags: ['docker.io/library/web:1', 'docker.io/library/web:latest'],
  uniqueBytes: 1024n,
  sharedBytes: 3n * 1024n * 1024n,
  users: [{ containerId: 'c'.repeat(64), containerName: 'main', pod: 'shop/web' }],
  pinned: true,
};
const usage = {
  images: [
    image,
    {
      id: `sha256:${'2'.repeat(64)}`,
      repoDigests: ['docker.io/library/old@sha256:3'],
      uniqueBytes: 2048n,
      reclaimableBytes: 2048n,
    },
  ],
  totalBytes: 3n * 1024n * 1024n + 3072n,
  reclaimableBytes: 2048n,
};

const verified = [
  { chainId: `sha256:${'2'.repeat(64)}`, health: 'intact', files: 100n, bytes: 1024n * 1024n },
  {
    chainId: `sha256:${'3'.repeat(64)}`,
    images: ['docker.io/library/web:1'],
    health: 'damaged',
    files: 200n,
    problemCount: 2n,
    problems: [{ path: '/bin/sh', what: 'its size is 0 and not 4711' }],
    failure: 'RegistryUnavailable: registry.example',
  },
];

let fake: FakeRuntime;
beforeEach(async () => {
  fake = await FakeRuntime.start(
    {},
    {
      loadImages: (_call, { path }) => Promise.resolve({ references: [`from:${path}`], ids: ['sha256:1'] }),
      listOperations: () => Promise.resolve({ operations }),
      diskUsage: () => Promise.resolve(usage),
      async *verifyImages(_call, { images, repair }) {
        if (!repair || images[0] !== 'web') return;
        await Promise.resolve();
        yield* verified;
      },
    },
  );
  populate(fake);
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

test('df shows what each image takes and what keeps it, the largest first', async () => {
  expect((await fake.run('df')).out).toBe(`\
IMAGE                           IMAGE ID       UNIQUE   SHARED   RECLAIMABLE  KEPT FOR
docker.io/library/old@sha256:3  2222222222222  2.0 KiB  0 B      2.0 KiB      -
docker.io/library/web:1         1111111111111  1.0 KiB  3.0 MiB  0 B          shop/web/main; pinned; also docker.io/library/web:latest
all, each layer once                           3.0 MiB           2.0 KiB
`);
});

test('images verify tells what is damaged, and what became of it', async () => {
  const { status, out } = await fake.run('images', 'verify', 'web', '--repair');
  expect({ status, out }).toEqual({
    status: 1,
    out: `\
layer 3333333333333 of docker.io/library/web:1: damaged
  /bin/sh: its size is 0 and not 4711
  and 1 more
  not fetched again: RegistryUnavailable: registry.example
2 layers (300 files, 1.0 MiB): 1 intact, 1 damaged
`,
  });
});

test('pods shows a line for each pod, the newest first', async () => {
  expect((await fake.run('pods')).out).toBe(`\
POD ID         NAME  NAMESPACE    STATE     AGE  ATTEMPT  RUNTIME
aaaaaaaaaaaaa  web   default      Ready     3m   0        (default)
bbbbbbbbbbbbb  old   kube-system  NotReady  3d   1        crun
`);
});

test('pods --wide shows addresses', async () => {
  fake.podStatus = { network: { ip: '10.88.0.5', additionalIps: [{ ip: 'fd00::5' }] } };
  expect((await fake.run('pods', '-w', '--name', 'web')).out).toContain('10.88.0.5,fd00::5');
});

test('pods -q shows whole ids of what is wanted', async () => {
  expect((await fake.run('pods', '-q', '-n', 'kube-system')).out).toBe(`${'b'.repeat(64)}\n`);
});

test('pods --json is JSON, with 64-bit numbers as strings and states by name', async () => {
  const { out } = await fake.run('pods', '--json', '--name', 'web');
  expect(JSON.parse(out)).toMatchObject([
    {
      metadata: { name: 'web' },
      state: 'SANDBOX_READY',
      createdAt: expect.stringMatching(/^\d{19}$/) as unknown,
    },
  ]);
});

test('ps shows what runs, with names of images and pods', async () => {
  expect((await fake.run('ps')).out).toBe(`\
CONTAINER ID   NAME   IMAGE                         STATE    AGE  ATTEMPT  POD  POD ID
ccccccccccccc  nginx  docker.io/library/nginx:1.29  Running  2m   0        web  aaaaaaaaaaaaa
`);
});

test('ps -a shows what has run too, and --pod only what is in a pod', async () => {
  expect((await fake.run('ps', '-aq')).out).toBe(`${'c'.repeat(64)}\n${'d'.repeat(64)}\n`);
  expect((await fake.run('ps', '-aq', '--pod', 'old')).out).toBe('');
});

test('images splits names from tags, not from ports', async () => {
  fake.images.push({ id: `sha256:${'2'.repeat(64)}`, repoTags: ['localhost:5000/app'], size: 100n });
  expect((await fake.run('images')).out).toBe(`\
IMAGE                    TAG     IMAGE ID       SIZE
docker.io/library/nginx  1.29    1111111111111  4.3 MiB
localhost:5000/app       <none>  2222222222222  100 B
`);
});

test('pull hands credentials over, the password from standard input', async () => {
  const args = ['--socket', fake.socketPath, 'pull', '-u', 'me', '--password-stdin', 'busybox'];
  const { out } = await runDavitctl(args, { readInput: () => Promise.resolve('secret\n') });
  expect({ out, calls: fake.calls }).toEqual({
    out: 'busybox  sha256:pulled\n',
    calls: ['PullImage busybox me:secret'],
  });
});

test('load sends an absolute path', async () => {
  expect((await fake.run('load', 'x.tar')).out).toBe(`from:${join(fake.dir, 'x.tar')}\n`);
});

test('stop means the container before the pod, and tells how long to wait', async () => {
  await fake.run('stop', '-t', '3', 'nginx');
  await fake.run('stop', 'web');
  expect(fake.calls).toEqual([`StopContainer ${'c'.repeat(64)} 3`, `StopPodSandbox ${'a'.repeat(64)}`]);
});

test('rm refuses what runs, and --force does not', async () => {
  const refused = await fake.run('rm', 'nginx');
  await fake.run('rm', '-f', 'nginx');
  expect({ refused, calls: fake.calls }).toEqual({
    refused: {
      status: 1,
      out: '',
      err: 'davitctl rm: container "nginx" is running: stop it first, or use --force\n',
    },
    calls: [`RemoveContainer ${'c'.repeat(64)}`],
  });
});

test('rm --all removes what has ended', async () => {
  await fake.run('rm', '--all');
  expect(fake.calls).toEqual([`RemoveContainer ${'d'.repeat(64)}`]);
});

test('rmp removes a pod by the beginning of its id', async () => {
  expect(await fake.run('rmp', 'bbbb')).toEqual({ status: 0, out: 'bbbb\n', err: '' });
  expect(fake.calls).toEqual([`StopPodSandbox ${'b'.repeat(64)}`, `RemovePodSandbox ${'b'.repeat(64)}`]);
});

test('rmi --unused keeps what containers use and what is pinned', async () => {
  fake.images.push({ id: 'sha256:free', repoTags: ['free:1'] }, { id: 'sha256:pinned', pinned: true });
  await fake.run('rmi', '--unused');
  expect(fake.calls).toEqual(['RemoveImage sha256:free']);
});

test('inspect finds a container, or else a pod, or else an image, and parses what it can', async () => {
  fake.podInfo = { config: '{"a": 1}', text: 'no JSON' };
  const kinds: unknown[] = [];
  for (const name of ['nginx', 'web', 'docker.io/library/nginx:1.29']) {
    kinds.push(JSON.parse((await fake.run('inspect', name)).out));
  }
  expect(kinds).toMatchObject([
    { kind: 'container', state: 'CONTAINER_RUNNING' },
    { kind: 'pod', info: { config: { a: 1 }, text: 'no JSON' } },
    { kind: 'image', repoTags: ['docker.io/library/nginx:1.29'] },
  ]);
});

test('timeline draws a bar for each stage', async () => {
  fake.podInfo = {
    timeline: JSON.stringify([
      { name: 'pin namespaces', startedAtMs: 1000, tookMs: 10 },
      { name: 'cni add', startedAtMs: 1010, tookMs: 30 },
      { name: 'write record', startedAtMs: 1039.9, tookMs: 0.1 },
    ]),
  };
  expect((await fake.run('timeline', 'web')).out).toBe(`\
STAGE                                                                     TOOK    BEGAN AT
pin namespaces  █████████████·····································     10.0 ms      0.0 ms
cni add         ·············█████████████████████████████████████     30.0 ms     10.0 ms
write record    ·················································█      0.1 ms     39.9 ms
40.0 ms in all
`);
});

test('timeline says so when there is none, or when it is no timeline', async () => {
  expect((await fake.run('timeline', 'web')).err).toContain('keeps no timeline of pod "web"');
  fake.podInfo = { timeline: '[{"name": 3}]' };
  expect(await fake.run('timeline', 'web')).toMatchObject({
    status: 1,
    err: expect.stringContaining('cannot read timeline of pod "web"') as unknown,
  });
});

test('version tells who answers', async () => {
  expect((await fake.run('version')).out).toBe('runtime  fake\nversion  1.2.3\nCRI      v1\n');
});

test('a name that may mean several things is refused, unless only one of them runs', async () => {
  const metadata = { name: 'nginx', attempt: 1 };
  fake.containers.push({ id: 'e'.repeat(64), metadata, state: 2 });
  expect((await fake.run('stop', 'nginx')).status).toBe(0);
  fake.containers = fake.containers.map((container) => ({ ...container, state: 2 }));
  expect((await fake.run('stop', 'nginx')).err).toBe(
    'davitctl stop: "nginx" may be any container of ccccccccccccc, eeeeeeeeeeeee; name one by its id\n',
  );
});

test('POD/CONTAINER names a container', async () => {
  await fake.run('stop', 'web/init');
  expect(fake.calls).toEqual([`StopContainer ${'d'.repeat(64)} 10`]);
});

test('names of others cannot write to the terminal', async () => {
  fake.pods = [{ id: 'a', metadata: { name: '\u001b[31mred\n', namespace: 'x' } }];
  expect((await fake.run('pods')).out).toContain('?[31mred?');
});

test.each([
  [['ps', '--no-such'], "unknown option '--no-such'"],
  [['exec', 'web'], 'an argument is missing'],
  [['version', 'x'], 'unexpected argument "x"'],
  [['logs', '--tail', 'x', 'web'], '--tail takes a number of lines, not "x"'],
  [['pods', '--state', 'x'], '--state is ready or notready, not "x"'],
  [['rm'], 'name containers, or use --all'],
  [['run', '-p', '80', 'x'], '--publish takes [ADDRESS:]HOST:CONTAINER[/PROTOCOL], not "80"'],
  [['completion', 'fish'], 'there is completion for bash only'],
])('%j is misused', async (args, message) => {
  const { status, err } = await fake.run(...args);
  expect({ status, firstLine: err.split('\n')[0] }).toEqual({
    status: 2,
    firstLine: `davitctl ${args[0] ?? ''}: ${message}`,
  });
});

test('a runtime that is not there is said to be not there, with what to do', async () => {
  const { status, err } = await runDavitctl(['ps'], { env: { DAVIT_SOCKET: '/nowhere/s' } });
  expect({ status, err }).toEqual({
    status: 1,
    err:
      'davitctl ps: there is no runtime at "/nowhere/s": start it (systemctl start davit), ' +
      'or name another socket with --socket or DAVIT_SOCKET\n',
  });
});

test('what the runtime says is passed on in one line', async () => {
  await using angry = await FakeRuntime.start({
    listPodSandbox: () => Promise.reject(new Fault('internal', 'two\nlines')),
  });
  expect(await angry.run('pods')).toEqual({ status: 1, out: '', err: 'davitctl pods: two lines\n' });
});

test('every command has a help that shows its use and examples, and lists it', async () => {
  const overview = (await runDavitctl(['--help'])).out;
  for (const { name } of COMMANDS) {
    const { status, out } = await runDavitctl(['help', name]);
    expect({ status, out }).toMatchObject({
      status: 0,
      out: expect.stringMatching(/Usage:[^]*Examples:/) as unknown,
    });
    expect(overview).toContain(`  ${name} `);
  }
});

test('without a command, help is given and the status is 2', async () => {
  expect(await runDavitctl([])).toMatchObject({
    status: 2,
    out: expect.stringContaining('Commands:') as unknown,
  });
  expect((await runDavitctl(['frobnicate'])).err).toContain('there is no command "frobnicate"');
});

test('completion knows every command, and asks for names', async () => {
  const { out } = await runDavitctl(['completion', 'bash']);
  expect(out).toContain('run pods ps exec logs');
  expect((await fake.run('completion', 'names', 'pods')).out).toBe('web\nold\n');
});

test('every command has a file that is called so', async () => {
  const sources = await Promise.all(
    COMMANDS.map(({ name }) => readFile(new URL(`${name.replace(' ', '-')}.ts`, import.meta.url))),
  );
  expect(sources).toHaveLength(COMMANDS.length);
});

test('ops shows what is under way, and at which stage', async () => {
  expect((await fake.run('ops')).out).toBe(`\
OPERATION           AGE       STAGE                            STAGE AGE  OF
RunPodSandbox       12.3 s    attach network > cni add bridge  12.0 s     shop/web
GetContainerEvents  3600.0 s  -                                -          -
`);
  expect(JSON.parse((await fake.run('ops', '--json')).out)).toMatchObject([
    { method: 'RunPodSandbox', age: '12340000000' },
    { method: 'GetContainerEvents' },
  ]);
});
