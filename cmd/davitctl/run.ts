// davitctl run: a pod and a container from an image, in one command.

import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { steadyMs } from '../../pkg/base/clock.ts';
import { ContainerState, type ContainerStatus } from '../../api/cri/generated/types.ts';
import { UndoStack } from '../../pkg/async/undo-stack.ts';
import { Fault } from '../../pkg/base/fault.ts';
import type { Io } from './command.ts';
import { define, type Invocation } from './define.ts';
import { ASK } from './find.ts';
import { toJson } from './format.ts';
import { logDirectoryName, removePod } from './own-pod.ts';
import { containerConfig, expectName, nameFromImage, podConfig, type PodIdentity } from './run-config.ts';
import { showLog } from './show-log.ts';
import { table } from './table.ts';

const OPTIONS = {
  name: { type: 'string', about: 'of the pod and the container; made from that of the image if not given' },
  namespace: { type: 'string', short: 'n', about: 'of the pod; "default" if not given' },
  detach: { type: 'boolean', short: 'd', about: 'leave it running, which is what happens without --rm' },
  rm: { type: 'boolean', about: 'show its log, wait until it ends, remove it, and exit as it did' },
  publish: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: '[ADDRESS:]HOST:CONTAINER[/PROTOCOL]',
    about: 'lead a port of the host to one of the pod',
  },
  entrypoint: { type: 'string', value: 'PROGRAM', about: "instead of the image's" },
  env: { type: 'string', short: 'e', multiple: true, value: 'NAME=VALUE', about: 'set a variable' },
  volume: {
    type: 'string',
    short: 'v',
    multiple: true,
    value: '/HOST:/CONTAINER[:ro]',
    about: 'show a directory of the host in it',
  },
  label: { type: 'string', short: 'l', multiple: true, value: 'NAME=VALUE', about: 'to find it by' },
  user: { type: 'string', short: 'u', value: 'USER[:GID]', about: 'run as, by number or by name' },
  workdir: { type: 'string', value: 'PATH', about: 'run in this directory' },
  hostname: { type: 'string', about: 'of the pod; its name if not given' },
  memory: { type: 'string', short: 'm', value: 'BYTES', about: 'limit, such as 64m' },
  cpus: { type: 'string', value: 'NUMBER', about: 'limit, such as 0.5' },
  'host-network': { type: 'boolean', about: 'use the network of the host' },
  'host-pid': { type: 'boolean', about: 'see the processes of the host' },
  privileged: { type: 'boolean', about: 'with every right there is' },
  'read-only': { type: 'boolean', about: 'its root file system cannot be written to' },
  runtime: { type: 'string', value: 'HANDLER', about: 'the runtime handler, such as crun' },
  'cgroup-parent': { type: 'string', value: 'CGROUP', about: 'where its cgroups go' },
  'log-dir': { type: 'string', value: 'PATH', about: 'where its log goes; /var/log/davit if not given' },
} as const;

const DEFAULT_LOG_ROOT = '/var/log/davit';
const START_DEADLINE_MS = 30_000;
const STATUS_INTERVAL_MS = 50;

export const run = define({
  name: 'run',
  summary: 'run an image: a pod, and a container in it',
  synopsis: '[OPTIONS] IMAGE [ARG...]',
  about:
    'The image is pulled if it is not there. Without --rm this returns when the container runs, and prints\n' +
    'what was made; davitctl rmp -f removes it. ARGs replace those of the image, not its entrypoint.',
  options: OPTIONS,
  examples: [
    ['run --rm busybox echo hello', 'run a command, see what it says'],
    ['run --name web -p 8080:80 nginx', 'a web server at http://localhost:8080'],
    ['run --rm -e A=1 -v /srv:/data:ro busybox ls /data', 'with a variable and a directory'],
    ['run -m 64m --cpus 0.5 busybox sleep 1000', 'with limits'],
  ],
  completes: 'images',
  args: { min: 1, max: Infinity },
  rest: 0,
  run: runImage,
});

type Run = Invocation<typeof OPTIONS>;

interface Made {
  readonly pod: {
    readonly id: string;
    readonly name: string;
    readonly namespace: string;
    readonly ip: string;
  };
  readonly container: { readonly id: string; readonly name: string; readonly image: string };
}

async function runImage(invocation: Run): Promise<number> {
  const { cri, io, json, values, args } = invocation;
  const [image = '', ...command] = args;
  const pod = identify(invocation, image);
  const name = expectName('--name', values.name ?? nameFromImage(image));
  const config = podConfig(values, pod);
  const container = containerConfig(values, pod, { name, image, command }); // all mistakes before the first change
  await pullIfAbsent(invocation, image);

  await using undo = new UndoStack();
  await mkdir(pod.logDirectory, { recursive: true, mode: 0o755 });
  undo.defer('remove the log', () => rm(pod.logDirectory, { recursive: true, force: true }));
  const signal = io.signal;
  const { podSandboxId } = await cri.runPodSandbox({ config, runtimeHandler: values.runtime }, { signal });
  undo.defer(`remove pod "${pod.name}"`, () => removePod(cri, podSandboxId));
  const { containerId } = await cri.createContainer(
    { podSandboxId, config: container, sandboxConfig: config },
    { signal },
  );
  await cri.startContainer({ containerId }, { signal });
  if (values.rm === true) return await untilItEnds(invocation, containerId);
  const status = await untilItRuns(invocation, containerId);
  undo.keep();

  const { status: sandbox } = await cri.podSandboxStatus({ podSandboxId }, ASK);
  const made: Made = {
    pod: { id: podSandboxId, name: pod.name, namespace: pod.namespace, ip: sandbox?.network?.ip ?? '' },
    container: { id: containerId, name, image },
  };
  io.out(json ? toJson(made) : describe(made));
  return reportEarlyEnd(io, status);
}

function identify({ io, values }: Run, image: string): PodIdentity {
  const name = expectName(
    '--name',
    values.name ?? `${nameFromImage(image)}-${randomBytes(2).toString('hex')}`,
  );
  const namespace = expectName('--namespace', values.namespace ?? 'default');
  const uid = randomUUID();
  const root = resolve(io.cwd, values['log-dir'] ?? DEFAULT_LOG_ROOT);
  return { name, namespace, uid, logDirectory: join(root, logDirectoryName({ name, namespace, uid })) };
}

async function pullIfAbsent({ cri, io }: Run, image: string): Promise<void> {
  const { image: known } = await cri.imageStatus({ image: { image } }, ASK);
  if (known !== undefined) return;
  io.err(`pulling ${image}`);
  await cri.pullImage({ image: { image } }, { signal: io.signal });
}

/** Starting is over when StartContainer returns; a runtime may tell so a moment later. */
async function untilItRuns({ cri }: Run, containerId: string): Promise<ContainerStatus> {
  for (const deadline = steadyMs() + START_DEADLINE_MS; steadyMs() < deadline;) {
    const { status } = await cri.containerStatus({ containerId }, ASK);
    if (status !== undefined && status.state !== ContainerState.CONTAINER_CREATED) return status;
    await setTimeout(STATUS_INTERVAL_MS);
  }
  throw new Fault('deadline_exceeded', `container "${containerId}" does not start`);
}

function reportEarlyEnd(io: Io, { id, state, exitCode, reason }: ContainerStatus): number {
  if (state !== ContainerState.CONTAINER_EXITED) return 0;
  io.err(`it has ended already: ${reason || 'exit'} ${exitCode}; see davitctl logs ${id.slice(0, 13)}`);
  return exitCode === 0 ? 0 : 1;
}

async function untilItEnds({ cri, io }: Run, containerId: string): Promise<number> {
  await showLog({ cri, io }, containerId, { follow: true });
  const { status } = await cri.containerStatus({ containerId }, ASK);
  return io.signal.aborted ? 130 : (status?.exitCode ?? 1);
}

function describe({ pod, container }: Made): string {
  return table([
    ['pod', pod.id, `${pod.namespace}/${pod.name}`],
    ['container', container.id, container.name],
    ...(pod.ip === '' ? [] : [['address', pod.ip]]),
  ]).join('\n');
}
