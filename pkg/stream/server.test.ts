import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { Fault } from '../base/fault.ts';
import { eventually } from '../sys/testing/eventually.ts';
import type { StreamServer } from './server.ts';
import { CONTAINER, execTarget, FakeBackend, listen, SANDBOX } from './testing/fake-backend.ts';
import { connectSpdy, type ReceivedStream, type SpdyClient } from './testing/spdy-client.ts';

interface ExecClient {
  readonly client: SpdyClient;
  readonly ids: Record<'error' | 'stdin' | 'stdout' | 'stderr', number>;
  readonly streams: Record<'error' | 'stdin' | 'stdout' | 'stderr', ReceivedStream>;
}

async function startExec(server: StreamServer, protocol = 'v4.channel.k8s.io'): Promise<ExecClient> {
  const client = await connectSpdy(server.url(execTarget), [protocol]);
  const open = (streamtype: string) => client.open({ streamtype });
  const ids = { error: open('error'), stdin: open('stdin'), stdout: open('stdout'), stderr: open('stderr') };
  const streams = {
    error: client.stream(ids.error),
    stdin: client.stream(ids.stdin),
    stdout: client.stream(ids.stdout),
    stderr: client.stream(ids.stderr),
  };
  return { client, ids, streams };
}

test('exec over SPDY carries input, its end, both outputs and the exit code, and says goodbye', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { client, ids, streams } = await startExec(server);
  const execution = await eventually(() => backend.executions[0]);
  client.send(ids.stdin, 'hello ');
  client.send(ids.stdin, 'there', { fin: true });
  execution.stdin.pipe(execution.stdout, { end: false });
  execution.stderr.write('and an error');
  await once(execution.stdin, 'end');
  execution.exit(7);
  await eventually(() => client.closed);
  expect([streams.stdout.text, streams.stderr.text]).toEqual(['hello there', 'and an error']);
  expect([streams.stdout.ended, streams.stderr.ended, streams.error.ended]).toEqual([true, true, true]);
  expect(JSON.parse(streams.error.text)).toMatchObject({
    details: { causes: [{ reason: 'ExitCode', message: '7' }] },
  });
  expect(client.goneAway).toBe(true);
});

test.for([
  ['v4.channel.k8s.io', '{"metadata":{},"status":"Success"}'],
  ['v3.channel.k8s.io', ''],
  ['v2.channel.k8s.io', ''],
  ['channel.k8s.io', ''],
] as const)('exec over SPDY speaks %s', async ([protocol, success]) => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { client, streams } = await startExec(server, protocol);
  (await eventually(() => backend.executions[0])).exit(0);
  await eventually(() => client.closed);
  expect(streams.error.text).toBe(success);
});

test('exec on a terminal passes sizes on', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const target = { ...execTarget, tty: true, stderr: false };
  using client = await connectSpdy(server.url(target));
  for (const streamtype of ['error', 'stdin', 'stdout']) client.open({ streamtype });
  const resize = client.open({ streamtype: 'resize' });
  client.send(resize, '{"Width":101,"Height":33}\n');
  const execution = await eventually(() => backend.executions[0]);
  await eventually(() => execution.sizes.length === 1);
  expect(execution.sizes).toEqual([{ rows: 33, columns: 101 }]);
});

test('exec of a command that cannot be run says so like a shell', async () => {
  const backend = new FakeBackend();
  backend.execFault = new Fault('invalid_argument', 'exec: "nosuch" not found', {
    detail: { exitCode: 127 },
  });
  await using server = await listen(backend);
  const { client, streams } = await startExec(server);
  await eventually(() => client.closed);
  expect(streams.stderr.text).toBe('exec: "nosuch" not found\n');
  expect(streams.error.text).toContain('"127"');
});

test('a client that leaves ends its command', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { client } = await startExec(server);
  const execution = await eventually(() => backend.executions[0]);
  client.transport.destroy();
  await eventually(() => execution.killed);
});

test('a client that leaves while its command reads nothing ends it too', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { client, ids } = await startExec(server);
  const execution = await eventually(() => backend.executions[0]);
  while (client.send(ids.stdin, Buffer.alloc(64 * 1024)));
  client.send(ids.stdin, Buffer.alloc(8 * 1024 * 1024)); // more than sockets hold: the server reads no more
  await eventually(() => execution.stdin.writableNeedDrain);
  (client.transport as Duplex & { resetAndDestroy(): void }).resetAndDestroy(); // a FIN would wait for the data
  await eventually(() => execution.killed, 10_000);
});

test('output is held back when the client does not read, and nothing of it is lost', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { client, streams } = await startExec(server);
  const execution = await eventually(() => backend.executions[0]);
  client.transport.pause();
  let written = 0;
  const mebibyte = 1024 * 1024;
  while (execution.stdout.write(Buffer.alloc(mebibyte, 'x')) || (await drained(execution.stdout))) written++;
  expect(written).toBeLessThan(64);
  client.transport.resume();
  execution.exit(0);
  await eventually(() => client.closed);
  expect(Buffer.concat(streams.stdout.chunks).length).toBe((written + 1) * mebibyte);
});

/** Whether it can take more soon. */
async function drained(stream: NodeJS.WritableStream): Promise<boolean> {
  const signal = AbortSignal.timeout(300);
  return await once(stream, 'drain', { signal }).then(
    () => true,
    () => false,
  );
}

test('what a command leaves behind does not keep its client, while output still flows', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { client, streams } = await startExec(server);
  const execution = await eventually(() => backend.executions[0]);
  execution.stdout.write('last words');
  execution.stderr.end();
  const { stdout } = execution;
  stdout.end = () => stdout; // something has it open
  execution.exit(3);
  await eventually(() => client.closed);
  expect(streams.stdout.text).toBe('last words');
});

test('a daemon that stops tells its clients, and ends their commands', async () => {
  const backend = new FakeBackend();
  const server = await listen(backend);
  const { client, streams } = await startExec(server);
  const execution = await eventually(() => backend.executions[0]);
  await server[Symbol.asyncDispose]();
  expect(execution.killed).toBe(true);
  await eventually(() => client.closed);
  expect(streams.error.text).toContain('the daemon is stopping');
});

test('attach passes output on to every client, and ends with the container', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const target = {
    kind: 'attach',
    id: CONTAINER,
    stdin: false,
    stdout: true,
    stderr: true,
    tty: false,
  } as const;
  const clients = await Promise.all([1, 2].map(async () => await connectSpdy(server.url(target))));
  for (const client of clients)
    for (const streamtype of ['error', 'stdout', 'stderr']) client.open({ streamtype });
  await eventually(() => backend.attachments.length === 2);
  for (const { print } of backend.attachments) print('stdout', Buffer.from('tick'));
  for (const { print } of backend.attachments) print('stderr', Buffer.from('tock'));
  for (const attachment of backend.attachments) attachment.exit();
  await eventually(() => clients.every(({ closed }) => closed));
  const texts = clients.map((client) => [
    client.stream(3).text,
    client.stream(5).text,
    client.stream(1).text,
  ]);
  const expected = ['tick', 'tock', '{"metadata":{},"status":"Success"}'];
  expect(texts).toEqual([expected, expected]);
});

test('attach drops a client that does not read, and never waits for it', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const target = {
    kind: 'attach',
    id: CONTAINER,
    stdin: false,
    stdout: true,
    stderr: false,
    tty: false,
  } as const;
  using client = await connectSpdy(server.url(target));
  for (const streamtype of ['error', 'stdout']) client.open({ streamtype });
  const attachment = await eventually(() => backend.attachments[0]);
  client.transport.pause();
  for (let i = 0; i < 400; i++) attachment.print('stdout', Buffer.alloc(64 * 1024));
  await eventually(() => attachment.disposed);
});

async function echoServer(): Promise<{ port: number } & Disposable> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => {
      if (chunk.includes('reset')) socket.resetAndDestroy();
      chunks.push(chunk);
    });
    socket.on('end', () => socket.end(`${Buffer.concat(chunks).toString()} to you`));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
}

const forwardTarget = { kind: 'portforward', id: SANDBOX, ports: [] } as const;

function openPair(client: SpdyClient, port: number, requestid: number) {
  const [error, data] = ['error', 'data'].map((streamtype) =>
    client.open({ streamtype, port: String(port), requestid: String(requestid) }),
  );
  client.send(error!, '', { fin: true });
  return { data: data!, received: client.stream(data!), error: client.stream(error!) };
}

function connectingBackend(): FakeBackend {
  const backend = new FakeBackend();
  backend.connectTo = async (port) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    return socket;
  };
  return backend;
}

test('port-forward carries many connections, each with half-close', async () => {
  using echo = await echoServer();
  await using server = await listen(connectingBackend());
  using client = await connectSpdy(server.url(forwardTarget), ['portforward.k8s.io']);
  const pairs = Array.from({ length: 50 }, (_, i) => openPair(client, echo.port, i));
  pairs.forEach(({ data }, i) => client.send(data, `greetings ${i}`, { fin: true }));
  await eventually(() => pairs.every(({ received, error }) => received.ended && error.ended));
  expect(pairs.map(({ received }) => received.text)).toEqual(pairs.map((_, i) => `greetings ${i} to you`));
  expect(pairs.map(({ error }) => error.text).join('')).toBe('');
});

test('port-forward reports a refused connection on that one alone', async () => {
  using echo = await echoServer();
  await using server = await listen(connectingBackend());
  using client = await connectSpdy(server.url(forwardTarget), ['portforward.k8s.io']);
  const refused = openPair(client, 1, 1);
  const good = openPair(client, echo.port, 2);
  await eventually(() => refused.error.ended);
  expect(refused.error.text).toMatch(/^cannot forward port 1 of pod sandbox "s1": .*ECONNREFUSED/);
  client.send(good.data, 'still here', { fin: true });
  await eventually(() => good.received.ended);
  expect(good.received.text).toBe('still here to you');
});

test('port-forward passes a reset on, to that connection alone', async () => {
  using echo = await echoServer();
  await using server = await listen(connectingBackend());
  using client = await connectSpdy(server.url(forwardTarget), ['portforward.k8s.io']);
  const [bad, good] = [openPair(client, echo.port, 1), openPair(client, echo.port, 2)];
  client.send(bad.data, 'reset');
  await eventually(() => bad.received.reset && bad.error.ended);
  client.send(good.data, 'still here', { fin: true });
  await eventually(() => good.received.ended);
  expect([bad.error.text, good.received.text]).toEqual(['', 'still here to you']);
});

test('port-forward understands clients that number no requests', async () => {
  using echo = await echoServer();
  await using server = await listen(connectingBackend());
  using client = await connectSpdy(server.url(forwardTarget), []);
  const port = String(echo.port);
  client.open({ streamtype: 'error', port });
  const data = client.open({ streamtype: 'data', port });
  client.send(data, 'old', { fin: true });
  await eventually(() => client.stream(data).ended);
  expect(client.stream(data).text).toBe('old to you');
});
