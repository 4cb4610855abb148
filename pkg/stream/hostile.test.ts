import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { expect, test } from 'vitest';
import { eventually } from '../sys/testing/eventually.ts';
import type { StreamServer } from './server.ts';
import { execTarget, FakeBackend, listen, SANDBOX } from './testing/fake-backend.ts';
import {
  connectSpdy,
  controlFrame,
  dataFrame,
  synStream,
  uint32,
  upgrade,
  type SpdyClient,
} from './testing/spdy-client.ts';

/** That the server still serves everybody else. */
async function expectHealthy(server: StreamServer, backend: FakeBackend): Promise<void> {
  const before = backend.executions.length;
  const client = await connectSpdy(server.url(execTarget));
  for (const streamtype of ['error', 'stdin', 'stdout', 'stderr']) client.open({ streamtype });
  const execution = await eventually(() => backend.executions[before]);
  execution.exit(0);
  await eventually(() => client.closed);
  expect(client.stream(1).text).toContain('Success');
}

async function rawConnection(server: StreamServer): Promise<Socket> {
  const { port, hostname } = new URL(server.url(execTarget));
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('a URL is good once', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const url = server.url(execTarget);
  using _first = await connectSpdy(url);
  expect(await upgrade(url)).toBe(404);
});

test('a URL expires', async () => {
  await using server = await listen(new FakeBackend(), { tokenLifetimeMs: 20 });
  const url = server.url(execTarget);
  await delay(40);
  expect(await upgrade(url)).toBe(404);
});

test('a token is good for nothing but what it was made for', async () => {
  await using server = await listen(new FakeBackend());
  expect(await upgrade(server.url(execTarget).replace('/exec/', '/attach/'))).toBe(404);
});

test.for(['/', '/exec', '/exec/', '/exec/guess', '/exec/../exec/guess', '/%00/\\', '//', '/exec/__proto__'])(
  'there is no stream at %s',
  async (path) => {
    await using server = await listen(new FakeBackend());
    expect(await upgrade(new URL(server.url(execTarget)).origin + path)).toBe(404);
  },
);

test('who wants no stream, or another protocol, is refused', async () => {
  await using server = await listen(new FakeBackend());
  expect((await fetch(server.url(execTarget))).status).toBe(400);
  expect(await upgrade(server.url(execTarget), { upgrade: 'h2c' })).toBe(400);
  expect(await upgrade(server.url(execTarget), { protocols: ['v9.channel.k8s.io'] })).toBe(403);
});

test('a request that comes slowly is cut off', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend, { requestTimeoutMs: 200 });
  const socket = await rawConnection(server);
  socket.write('POST /exec/x HTTP/1.1\r\nHost: x\r\n');
  socket.resume();
  await once(socket, 'close');
  await expectHealthy(server, backend);
});

test('a request with headers without end is cut off', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const socket = await rawConnection(server);
  socket.write(`POST /exec/x HTTP/1.1\r\nX: ${'x'.repeat(100_000)}`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 431/);
  await expectHealthy(server, backend);
});

test('a client that does not open its streams is cut off', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend, { creationTimeoutMs: 50 });
  using client = await connectSpdy(server.url(execTarget));
  client.open({ streamtype: 'error' });
  await eventually(() => client.closed);
  expect(backend.executions).toEqual([]);
});

test('a stream on which nothing happens is cut', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend, { idleTimeoutMs: 100 });
  using client = await connectSpdy(server.url(execTarget));
  for (const streamtype of ['error', 'stdin', 'stdout', 'stderr']) client.open({ streamtype });
  await eventually(() => client.closed && backend.executions[0]?.killed);
});

test.for([
  [
    'bytes that are no frames',
    (client: SpdyClient) => Buffer.from(`\x80${client.closed ? '' : 'garbage garbage'}`),
  ],
  ['a frame that is too long', () => Buffer.from('8003000100ffffff', 'hex')],
  ['data of a stream that is not open', () => dataFrame(99, Buffer.from('x'), 0)],
  ['a stream with an even number', (client: SpdyClient) => synStream(2, 0, client.compress({ a: 'b' }))],
  ['a stream that is there already', (client: SpdyClient) => synStream(1, 0, client.compress({ a: 'b' }))],
  ['headers that cannot be decompressed', () => synStream(3, 0, Buffer.from('nonsense'))],
  [
    'headers of a shape of their own',
    (client: SpdyClient) => synStream(3, 0, client.compress({ a: 'b' }).subarray(0, 9)),
  ],
] as const)('a client that sends %s is cut off, and nobody else', async ([, attack]) => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  using client = await connectSpdy(server.url(execTarget));
  client.open({ streamtype: 'error' });
  client.transport.write(attack(client));
  client.transport.end();
  await eventually(() => client.closed);
  expect(backend.executions).toEqual([]);
  await expectHealthy(server, backend);
});

test('streams that nobody asked for are refused, however many', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  using client = await connectSpdy(server.url(execTarget));
  const ids = Array.from({ length: 5000 }, () => client.open({ streamtype: 'nonsense' }));
  await eventually(() => ids.every((id) => client.stream(id).reset));
  await expectHealthy(server, backend);
});

test('a port-forward has a bounded number of streams', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const url = server.url({ kind: 'portforward', id: SANDBOX, ports: [] });
  using client = await connectSpdy(url, ['portforward.k8s.io']);
  const ids = Array.from({ length: 2100 }, (_, i) =>
    client.open({ streamtype: 'error', port: '80', requestid: String(i) }),
  );
  await eventually(() => ids.every((id) => client.stream(id).reset || client.stream(id).replied));
  expect(ids.filter((id) => client.stream(id).replied)).toHaveLength(2048);
});

test('a flood of pings whose answers are not read costs little memory', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  using client = await connectSpdy(server.url(execTarget));
  client.transport.pause();
  const flood = Buffer.concat(
    Array.from({ length: 100_000 }, (_, i) => controlFrame(6, 0, uint32(2 * i + 1))),
  );
  const before = process.memoryUsage();
  for (let i = 0; i < 20; i++) client.transport.write(flood);
  await delay(500);
  const held = client.transport.writableLength;
  expect(held).toBeGreaterThan(0); // the server takes no more, so that it is the client who holds it
  expect(process.memoryUsage().arrayBuffers - before.arrayBuffers - held).toBeLessThan(32 * 1024 * 1024);
  await expectHealthy(server, backend);
});

test('a flood of pings over a WebSocket ends it', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const socket = new WebSocket(server.url(execTarget).replace('http', 'ws'), 'v5.channel.k8s.io', {
    autoPong: false,
  });
  await once(socket, 'open');
  const execution = await eventually(() => backend.executions[0]);
  socket.pause();
  const flood = setInterval(() => {
    for (let i = 0; i < 20_000 && socket.readyState === socket.OPEN; i++) socket.ping('x'.repeat(125));
  }, 1);
  socket.on('error', () => undefined);
  await eventually(() => execution.killed, 15_000);
  clearInterval(flood);
  socket.terminate();
  await expectHealthy(server, backend);
});

test('a message over a WebSocket that is too long ends it', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const socket = new WebSocket(server.url(execTarget).replace('http', 'ws'), 'v5.channel.k8s.io');
  await once(socket, 'open');
  const execution = await eventually(() => backend.executions[0]);
  socket.send(Buffer.alloc(2 * 1024 * 1024));
  await eventually(() => execution.killed);
  socket.terminate();
});

test('data for a port that nobody takes is held back', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const url = server.url({ kind: 'portforward', id: SANDBOX, ports: [] });
  using client = await connectSpdy(url, ['portforward.k8s.io']);
  const half = client.open({ streamtype: 'data', port: '80', requestid: '1' });
  for (let i = 0; i < 64; i++) client.send(half, Buffer.alloc(1024 * 1024));
  await delay(300);
  expect(client.transport.writableLength).toBeGreaterThan(32 * 1024 * 1024);
  await expectHealthy(server, backend);
});
