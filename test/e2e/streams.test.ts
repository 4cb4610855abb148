// Exec over both transports, as clients of our own see it: bytes, order, half-close, exit codes, sizes. What the
// protocols say beyond that is tested in pkg/stream.

import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { connectCommand, talk, TRANSPORTS, type CommandClient } from './harness/command-client.ts';
import type { TestContainer } from './harness/container.ts';
import { eventually } from './harness/eventually.ts';
import { TestPod } from './harness/pod.ts';
import { refusalOf } from './harness/refusal.ts';
import { useNode } from './harness/use-node.ts';

const node = useNode();

const ALL = { stdin: true, stdout: true, stderr: true };
const TERMINAL = { stdin: true, stdout: true, tty: true };

async function startContainer(): Promise<TestContainer> {
  return await (await TestPod.run(node)).start();
}

async function execUrl({ id }: TestContainer, cmd: readonly string[], wanted: object = ALL): Promise<string> {
  return (await node.client.exec({ containerId: id, cmd, ...wanted })).url;
}

function failure(exitCode: number): object {
  const details = { causes: [{ reason: 'ExitCode', message: String(exitCode) }] };
  return { status: 'Failure', reason: 'NonZeroExitCode', details };
}

/** Commands, what they end with, and what their client is told the name of. */
const EXITS = [
  { cmd: ['sh', '-c', 'kill -9 $$'], exitCode: 137, names: '' },
  { cmd: ['sh', '-c', 'kill -15 $$'], exitCode: 143, names: '' },
  { cmd: ['nosuch'], exitCode: 127, names: 'nosuch' },
  { cmd: ['/bin/nosuch'], exitCode: 127, names: '/bin/nosuch' },
  { cmd: ['/etc/passwd'], exitCode: 126, names: '/etc/passwd' },
  { cmd: ['/home'], exitCode: 126, names: '/home' },
];

/** Whether a process with this in its command line runs in the container. */
async function runs(container: TestContainer, words: string): Promise<boolean> {
  const { stdout } = await container.exec(['ps', '-o', 'args']);
  return stdout.split('\n').includes(words);
}

describe.each(TRANSPORTS)('over %s', (transport) => {
  test('a command gets its input and its end, byte for byte, and output and exit code come back', async () => {
    const container = await startContainer();
    const url = await execUrl(container, ['sh', '-c', 'cat; echo end of input >&2; exit 3']);
    const input = randomBytes(3_000_001);
    const { stdout, stderr, status } = await talk(transport, url, { ...ALL, input });
    expect(stdout.equals(input)).toBe(true);
    expect(stderr.toString()).toBe('end of input\n');
    expect(status).toMatchObject(failure(3));
  });

  test('lines come in the order in which they were written, and success is told', async () => {
    const container = await startContainer();
    const url = await execUrl(container, ['seq', '1', '200000'], { stdout: true });
    const { stdout, status } = await talk(transport, url, { stdout: true });
    expect(stdout.toString()).toBe(Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join(''));
    expect(status).toEqual({ metadata: {}, status: 'Success' });
  });

  test('commands that die or cannot be run end as in a shell', async () => {
    const container = await startContainer();
    const outcomes = await Promise.all(
      EXITS.map(async ({ cmd }) => await talk(transport, await execUrl(container, cmd), ALL)),
    );
    const ends = outcomes.map(({ status, stderr }) => ({ status, stderr: stderr.toString() }));
    expect(ends).toMatchObject(
      EXITS.map(({ exitCode, names }) => ({
        status: failure(exitCode),
        stderr: expect.stringContaining(names) as string,
      })),
    );
  });

  test('a terminal has the size of the client, from the start and when it changes', async () => {
    const container = await startContainer();
    const loop = 'stty -echo; while read line; do stty size; done';
    const client = await connectCommand(
      transport,
      await execUrl(container, ['sh', '-c', loop], TERMINAL),
      TERMINAL,
    );
    await expectSize(client, 101, 33);
    await expectSize(client, 80, 24);
    client.endStdin(); // Control-D
    await eventually('the server closes', () => client.closed);
    expect(client.outcome().status).toMatchObject({ status: 'Success' });
  });

  test('a client that leaves ends its command', async () => {
    const container = await startContainer();
    const client = await connectCommand(transport, await execUrl(container, ['sleep', '3001']), ALL);
    await eventually('it runs', () => runs(container, 'sleep 3001'));
    client.leave();
    await eventually('it has ended', async () => !(await runs(container, 'sleep 3001')));
  });

  test.each([
    { what: 'reads nothing of what fills all pipes', cmd: ['sleep', '3002'], last: 'sleep 3002' },
    {
      what: 'also prints more than the client takes',
      cmd: ['sh', '-c', 'yes & exec sleep 3003'],
      last: 'sleep 3003',
    },
  ])('a client that leaves ends a command that $what', async ({ cmd, last }) => {
    const container = await startContainer();
    const client = await connectCommand(transport, await execUrl(container, cmd), ALL);
    client.pause();
    client.write(Buffer.alloc(32 * 1024 * 1024));
    await eventually('it runs', () => runs(container, last));
    client.leave();
    await eventually('it has ended', async () => !(await runs(container, last)));
  });
});

/** Types until the terminal says so: a size may come later than what was typed after it. */
async function expectSize(client: CommandClient, columns: number, rows: number): Promise<void> {
  client.resize(columns, rows);
  await eventually(`the terminal has ${columns} columns`, () => {
    client.write('\n');
    return client.outcome().stdout.toString().trimEnd().endsWith(`${rows} ${columns}`);
  });
}

test('the address of an exec is good for one connection', async () => {
  const container = await startContainer();
  const url = await execUrl(container, ['true'], { stdout: true });
  expect(await talk('websocket', url, { stdout: true })).toMatchObject({ status: { status: 'Success' } });
  await expect(talk('websocket', url, { stdout: true })).rejects.toThrow('Unexpected server response: 404');
  await expect(talk('spdy', url, { stdout: true })).rejects.toThrow('refused with 404');
});

test.each([
  { what: 'a terminal has no stderr of its own', streams: { tty: true, stdout: true, stderr: true } },
  { what: 'an exec without any stream is nothing', streams: {} },
])('$what', async ({ streams }) => {
  const { id } = await startContainer();
  const refusal = await refusalOf(node.client.exec({ containerId: id, cmd: ['true'], ...streams }));
  expect(refusal).toMatchObject({ code: 'INVALID_ARGUMENT' });
});
