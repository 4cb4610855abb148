// What a hostile image or container tries, and what other users of the node can reach. The claims are those of
// docs/threat-model.md.

import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NamespaceMode } from '../../api/cri/generated/types.ts';
import { containerConfig } from './harness/container.ts';
import { writeOciArchive } from './harness/image-archive.ts';
import { buildImage } from './harness/image-builder.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { busyboxEntries } from './harness/test-image.ts';
import { useNode } from './harness/use-node.ts';

/** A runtime that may come to harm. */
const runtimeDir = mkdtempSync(join(tmpdir(), 'davit-e2e-runtime-'));
const runtime = join(runtimeDir, 'runc');
copyFileSync('/usr/sbin/runc', runtime);
afterAll(() => {
  rmSync(runtimeDir, { recursive: true });
});

const node = useNode({ config: `[runtime.handlers]\ncopy = { path = "${runtime}" }\n` });

const [READ, ENTER, WRITE] = [0o4, 0o1, 0o2];

/** What of `dir` a user who is nobody here can read or write. */
function openToAll(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isSymbolicLink()) return [];
    const { mode } = statSync(path);
    if (!entry.isDirectory()) return (mode & (READ | WRITE)) === 0 ? [] : [path];
    const listed = (mode & (READ | WRITE)) === 0 ? [] : [path];
    return (mode & ENTER) === 0 ? listed : [...listed, ...openToAll(path)];
  });
}

test('no user of the node but root can read or write anything of the daemon', async () => {
  const pod = await TestPod.run(node, { namespaces: { pid: NamespaceMode.POD } });
  await pod.start();
  expect(statSync(node.place.root).mode & 0o777).toBe(0o700);
  expect(openToAll(node.place.run)).toEqual([]);
});

function descriptorsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
}

test('no descriptor of the daemon reaches a container, a command in it, or its monitor', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const { pid, monitorPid } = await container.info();
  expect(readdirSync(`/proc/${pid}/fd`)).toEqual(['0', '1', '2']);
  expect((await container.exec(['ls', '/proc/self/fd'])).stdout).toBe('0\n1\n2\n3\n'); // the directory is 3
  const ours = descriptorsOf(node.daemon.pid).filter((name) => /^(socket|pipe):|^\/(?!dev\/)/.test(name));
  expect(descriptorsOf(monitorPid).filter((name) => ours.includes(name))).toEqual([]);
});

test('the monitor is in no cgroup of its pod, whose memory limit it would die of', async () => {
  const pod = await TestPod.run(node);
  const { monitorPid } = await (await pod.start()).info();
  expect(readFileSync(`/proc/${monitorPid}/cgroup`, 'utf8')).not.toContain(node.place.cgroupParent);
});

test('what a container is run with has no environment of the daemon', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const names = (text: string, end: string) =>
    text
      .split(end)
      .filter(Boolean)
      .map((line) => line.split('=', 1)[0] ?? '')
      .sort();
  const { monitorPid } = await container.info();
  expect(names(readFileSync(`/proc/${monitorPid}/environ`, 'utf8'), '\0')).toEqual(['PATH', '_OCI_SYNCPIPE']);
  const { stdout } = await container.exec(['cat', '/proc/1/environ']);
  expect(names(stdout, '\0')).toEqual(['FROM_IMAGE', 'HOME', 'HOSTNAME', 'PATH']);
});

test('on the network of the node a container finds no abstract socket of daemon or monitor', async () => {
  const pod = await TestPod.run(node, { namespaces: { network: NamespaceMode.NODE } });
  const container = await pod.start();
  const { monitorPid } = await container.info();
  const sockets = [node.daemon.pid, monitorPid]
    .flatMap(descriptorsOf)
    .map((name) => /^socket:\[(\d+)\]$/.exec(name)?.[1]);
  const { stdout } = await container.exec(['cat', '/proc/net/unix']);
  const abstract = stdout.split('\n').filter((line) => line.includes(' @'));
  expect(abstract.filter((line) => sockets.includes(line.split(/\s+/)[6]))).toEqual([]);
  expect((await container.exec(['ls', node.place.socket])).exitCode).not.toBe(0);
});

test('a working directory among the descriptors of a runtime leads to nothing of the node', async () => {
  const marker = join(node.place.dir, 'marker');
  writeFileSync(marker, '');
  const pod = await TestPod.run(node);
  const script = `ls ../../../../../../../..${marker} && echo escaped`;
  const attempts = [3, 6, 7, 8, 9].map(async (fd) => {
    const config = { command: ['sh', '-c', script], workingDir: `/proc/self/fd/${fd}` };
    const container = await pod.start({
      name: `fd-${fd}`,
      config: { ...config, metadata: { name: `fd-${fd}` } },
    });
    await container.waitForExit();
    return container.logText('stdout');
  });
  const outcomes = await Promise.allSettled(attempts);
  const outputs = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : ''));
  expect(outputs.filter((text) => text.includes('escaped'))).toEqual([]);
});

/** An image with links at these paths, to where they would lead from the root file system: into `outside`. */
async function imageOfLinks(paths: readonly string[], outside: string): Promise<string> {
  const name = `davit.local/links-${crypto.randomUUID()}:v1`;
  const target = `../../../../../../../..${outside}`;
  const entries = paths.map((path) => ({
    path,
    type: 'symlink' as const,
    target: `${target}/${basename(path)}`,
  }));
  const config = { Env: ['PATH=/bin'] };
  const image = await buildImage({ layers: [{ entries: busyboxEntries() }, { entries }], config });
  const archive = join(node.place.dir, 'links.tar');
  await writeOciArchive(archive, name, image);
  await node.davit.loadImages({ path: archive });
  return name;
}

test('links of an image where files of the pod are mounted, or where it works, do not lead out', async () => {
  const outside = join(node.place.dir, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'hosts'), 'of the node');
  const image = await imageOfLinks(['/etc/resolv.conf', '/etc/hosts', '/etc/hostname', '/work'], outside);
  const pod = await TestPod.run(node);
  const script = 'echo harm > /etc/hosts; cat /etc/hosts';
  expect(await pod.output(['sh', '-c', script], { image })).toBe('harm\n');
  const workingDir = '/work/below';
  const inLink = { image: { image }, metadata: { name: 'in-link' }, command: ['true'], workingDir };
  expect((await refusalOf(pod.create({ config: inLink }))).message).toContain('/work');
  expect(readdirSync(outside)).toEqual(['hosts']);
  expect(readFileSync(join(outside, 'hosts'), 'utf8')).toBe('of the node');
  await pod.remove();
  await node.client.removeImage({ image: { image } });
});

test.each(['/dev', '/proc', '/sys'])(
  'an image whose %s is a link is refused: a runtime would follow it out of the image',
  async (path) => {
    const outside = join(node.place.dir, `outside${path.replace('/', '-')}`);
    mkdirSync(join(outside, basename(path)), { recursive: true });
    writeFileSync(join(outside, basename(path), 'ptmx'), 'of the node');
    const image = await imageOfLinks([path], outside);
    const pod = await TestPod.run(node);
    expect(await refusalOf(pod.create({ image }))).toEqual({
      code: 'FAILED_PRECONDITION',
      message: `the image's "${path}" is not a directory`,
    });
    expect(readdirSync(join(outside, basename(path)))).toEqual(['ptmx']);
    expect(readFileSync(join(outside, basename(path), 'ptmx'), 'utf8')).toBe('of the node');
    await pod.remove();
    await node.client.removeImage({ image: { image } });
  },
);

const NULL_OF_THE_NODE = {
  path: '/dev/null',
  type: 'symlink' as const,
  target: '/proc/sys/kernel/core_pattern',
};

/** Runtimes open /dev/null as root of the node, after they have mounted everything. */
test.each(['/dev', '/proc', '/'])(
  'a volume of an image whose path is a link to %s is refused: it would take the place of what a runtime uses',
  async (target) => {
    const name = `davit.local/volume-${crypto.randomUUID()}:v1`;
    const link = { path: '/volume', type: 'symlink' as const, target };
    const layers = [{ entries: busyboxEntries() }, { entries: [link, NULL_OF_THE_NODE] }];
    const image = await buildImage({ layers, config: { Volumes: { '/volume': {} } } });
    const archive = join(node.place.dir, 'volume.tar');
    await writeOciArchive(archive, name, image);
    await node.davit.loadImages({ path: archive });
    const pod = await TestPod.run(node);
    expect(await refusalOf(pod.create({ image: name }))).toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining(`cannot mount at "/volume", which leads to "${target}"`) as string,
    });
    await pod.remove();
    await node.client.removeImage({ image: { image: name } });
  },
);

test('a volume of a pod takes the place of neither /dev nor /proc, also by a link in another volume', async () => {
  const volume = join(node.place.dir, 'volume');
  mkdirSync(volume);
  symlinkSync('/dev', join(volume, 'link'));
  const pod = await TestPod.run(node);
  const refuse = async (...paths: string[]) => {
    const mounts = paths.map((containerPath) => ({ hostPath: volume, containerPath }));
    return (await refusalOf(pod.create({ config: { mounts } }))).message;
  };
  expect(await refuse('/dev')).toContain('cannot mount at "/dev"');
  expect(await refuse('/proc')).toContain('cannot mount at "/proc"');
  expect(await refuse('/data', '/data/link')).toContain('which leads to "/dev"');
});

test('a container cannot write to the runtime that runs commands in it', async () => {
  const sum = () => createHash('sha256').update(readFileSync(runtime)).digest('hex');
  const before = sum();
  const pod = await TestPod.run(node, { handler: 'copy' });
  const attack =
    'echo ready; while :; do for p in /proc/[0-9]*; do echo harm > $p/exe; done; done 2>/dev/null';
  const container = await pod.start({ command: ['sh', '-c', attack] });
  await container.waitForLog('ready');
  for (let round = 0; round < 4; round++) await container.exec(['/proc/self/exe', '--version']);
  expect(sum()).toBe(before);
});

test('a log is not written through a link that a pod has put into its log directory', async () => {
  const pod = await TestPod.run(node);
  const target = join(node.place.dir, 'elsewhere');
  mkdirSync(target);
  symlinkSync(target, join(pod.config.logDirectory ?? '', 'linked'));
  const config = containerConfig(pod, { config: { logPath: 'linked/0.log' } });
  const request = { podSandboxId: pod.id, config, sandboxConfig: pod.config };
  expect(await refusalOf(node.client.createContainer(request))).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  expect(readdirSync(target)).toEqual([]);
});

test('a log that was replaced by a link is not opened anew', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start();
  const target = join(node.place.dir, 'shadow');
  renameSync(container.logPath, `${container.logPath}.1`);
  symlinkSync(target, container.logPath);
  expect(await refusalOf(node.client.reopenContainerLog({ containerId: container.id }))).toEqual({
    code: 'FAILED_PRECONDITION',
    message: `cannot write the log "${container.logPath}": it is not an ordinary file`,
  });
  expect(existsSync(target)).toBe(false);
});

test('annotations that a runtime would obey reach it from no pod, unless its handler allows them', async () => {
  const pod = await TestPod.run(node);
  const annotations = {
    'org.systemd.property.ExecStartPre': '"/bin/evil"',
    'run.oci.hooks.stdout': '/etc/shadow',
  };
  const container = await pod.create({ config: { annotations } });
  const bundle = join(node.place.run, 'containers', container.id, 'config.json');
  const { annotations: passed } = JSON.parse(readFileSync(bundle, 'utf8')) as { annotations: object };
  expect(Object.keys(passed).filter((name) => Object.hasOwn(annotations, name))).toEqual([]);
});
