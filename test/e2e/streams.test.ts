// Exec, Attach and PortForward as a client of WebSocket sees them. The protocols are tested in pkg/stream.

import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

/** Channels of v5.channel.k8s.io: the first byte of each message. */
const [STDIN, STDOUT, STDERR, STATUS, CLOSE] = [0, 1, 2, 3, 255] as const;

interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: unknown;
}

/** Connects, sends `input` and its end, and collects what comes until the server closes. */
async function talk(url: string, input = '', onFirst = (): void => undefined): Promise<Answer> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), 'v5.channel.k8s.io');
  const texts = new Map<number, Buffer[]>();
  socket.on('message', (message: Buffer) => {
    const [channel = -1] = message;
    if (texts.size === 0) onFirst();
    texts.set(channel, [...(texts.get(channel) ?? []), message.subarray(1)]);
  });
  socket.on('open', () => {
    if (input !== '') socket.send(Buffer.concat([Buffer.from([STDIN]), Buffer.from(input)]));
    socket.send(Buffer.from([CLOSE, STDIN]));
  });
  await new Promise((resolve, reject) => {
    socket.on('close', resolve).on('error', reject);
  });
  const text = (channel: number) => Buffer.concat(texts.get(channel) ?? []).toString();
  return { stdout: text(STDOUT), stderr: text(STDERR), status: JSON.parse(text(STATUS) || 'null') };
}

test('a command gets its input and its end, and its output and exit code come back', async () => {
  const pod = await TestPod.run(node);
  const { id } = await pod.start();
  const cmd = ['sh', '-c', 'cat; echo err >&2; exit 3'];
  const streams = { stdin: true, stdout: true, stderr: true };
  const { url } = await node.client.exec({ containerId: id, cmd, ...streams });
  expect(await talk(url, 'hello\n')).toMatchObject({
    stdout: 'hello\n',
    stderr: 'err\n',
    status: { status: 'Failure', reason: 'NonZeroExitCode', details: { causes: [{ message: '3' }] } },
  });
});

test('the address of an exec is good for one connection', async () => {
  const pod = await TestPod.run(node);
  const { id } = await pod.start();
  const { url } = await node.client.exec({ containerId: id, cmd: ['true'], stdout: true });
  expect(await talk(url)).toMatchObject({ status: { status: 'Success' } });
  await expect(talk(url)).rejects.toThrow('Unexpected server response: 404');
});

test('attach shows what the container writes from then on, until it ends', async () => {
  const pod = await TestPod.run(node);
  const container = await pod.start({
    command: ['sh', '-c', 'while [ ! -e /tmp/go ]; do echo tick; usleep 10000; done; echo the end'],
  });
  const { url } = await node.client.attach({ containerId: container.id, stdout: true });
  const told = Promise.withResolvers<undefined>();
  const answer = talk(url, '', () => {
    told.resolve(undefined);
  });
  await told.promise;
  await container.exec(['touch', '/tmp/go']);
  expect((await answer).stdout).toMatch(/^(tick\n)+the end\n$/);
});

test.each([
  { what: 'a terminal has no stderr of its own', streams: { tty: true, stdout: true, stderr: true } },
  { what: 'an exec without any stream is nothing', streams: {} },
])('$what', async ({ streams }) => {
  const pod = await TestPod.run(node);
  const { id } = await pod.start();
  const refusal = await refusalOf(node.client.exec({ containerId: id, cmd: ['true'], ...streams }));
  expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT' });
});
