import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { WebSocket } from 'ws';
import { expect, test } from 'vitest';
import { eventually } from '../sys/testing/eventually.ts';
import type { StreamServer } from './server.ts';
import { execTarget, FakeBackend, listen, SANDBOX } from './testing/fake-backend.ts';
import { connectTunnel } from './testing/tunnel-client.ts';
import type { StreamTarget } from './backend.ts';

/** What has come on each channel. */
async function open(server: StreamServer, target: StreamTarget, protocol?: string) {
  const socket = new WebSocket(
    server.url(target).replace('http', 'ws'),
    protocol === undefined ? [] : [protocol],
  );
  const channels = new Map<number, string>();
  const closed = once(socket, 'close');
  socket.on('message', (message: Buffer, isBinary) => {
    const channel = isBinary ? message[0]! : Number(String.fromCharCode(message[0]!));
    const text = isBinary
      ? message.toString('utf8', 1)
      : Buffer.from(message.toString().slice(1), 'base64').toString();
    channels.set(channel, (channels.get(channel) ?? '') + text);
  });
  await once(socket, 'open');
  return { socket, channels, closed };
}

const SUCCESS = '{"metadata":{},"status":"Success"}';

test('exec over v5 carries input, its end, outputs and the exit code', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { socket, channels, closed } = await open(server, execTarget, 'v5.channel.k8s.io');
  const execution = await eventually(() => backend.executions[0]);
  expect(socket.protocol).toBe('v5.channel.k8s.io');
  socket.send(Buffer.from('\0hello'));
  socket.send(Buffer.from([255, 0]));
  execution.stdin.pipe(execution.stdout, { end: false });
  await once(execution.stdin, 'end');
  execution.stderr.write('oops');
  execution.exit(0);
  await closed;
  expect(Object.fromEntries(channels)).toEqual({ 1: 'hello', 2: 'oops', 3: SUCCESS });
});

test.for([
  ['v4.channel.k8s.io', SUCCESS],
  ['channel.k8s.io', ''],
  [undefined, ''],
] as const)('exec over a WebSocket speaks %s', async ([protocol, status]) => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { channels, closed } = await open(server, execTarget, protocol);
  const execution = await eventually(() => backend.executions[0]);
  execution.stdout.write('out');
  execution.exit(0);
  await closed;
  expect([channels.get(1), channels.get(3) ?? '']).toEqual(['out', status]);
});

test.for(['v4.base64.channel.k8s.io', 'base64.channel.k8s.io'])(
  'exec over a WebSocket speaks %s',
  async (protocol) => {
    const backend = new FakeBackend();
    await using server = await listen(backend);
    const { socket, channels, closed } = await open(server, execTarget, protocol);
    const execution = await eventually(() => backend.executions[0]);
    socket.send(`0${Buffer.from('in').toString('base64')}`);
    const [input] = (await once(execution.stdin, 'data')) as [Buffer];
    execution.stdout.write(input);
    execution.exit(0);
    await closed;
    expect(channels.get(1)).toBe('in');
  },
);

test('exec over a WebSocket passes sizes on', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { socket } = await open(server, { ...execTarget, tty: true, stderr: false }, 'v5.channel.k8s.io');
  const execution = await eventually(() => backend.executions[0]);
  socket.send(Buffer.from('\u0004{"Width":101,"Height":33}'));
  await eventually(() => execution.sizes.length === 1);
  expect(execution.sizes).toEqual([{ rows: 33, columns: 101 }]);
  socket.terminate();
  await eventually(() => execution.killed);
});

test('input over a WebSocket is held back when the command does not read', async () => {
  const backend = new FakeBackend();
  await using server = await listen(backend);
  const { socket } = await open(server, execTarget, 'v5.channel.k8s.io');
  const execution = await eventually(() => backend.executions[0]);
  const chunk = Buffer.concat([Buffer.of(0), Buffer.alloc(32 * 1024)]);
  for (let i = 0; i < 1000; i++) socket.send(chunk);
  await eventually(() => execution.stdin.writableNeedDrain);
  let bytes = 0;
  execution.stdin.on('data', (data: Buffer) => {
    bytes += data.length;
  });
  await eventually(() => bytes === 1000 * 32 * 1024);
  socket.terminate();
});

const forwardTarget = (ports: readonly number[]) => ({ kind: 'portforward', id: SANDBOX, ports }) as const;

async function greeter(): Promise<{ port: number } & Disposable> {
  const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
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

test('port-forward works in a tunnel, as kubectl does it', async () => {
  using greeting = await greeter();
  await using server = await listen(connectingBackend());
  using client = await connectTunnel(server.url(forwardTarget([])));
  const port = String(greeting.port);
  client.open({ streamtype: 'error', port, requestid: '1' });
  const data = client.open({ streamtype: 'data', port, requestid: '1' });
  await eventually(() => client.stream(data).ended);
  expect(client.stream(data).text).toBe('hello');
});

test('port-forward works over channels', async () => {
  using target = await greeter();
  await using server = await listen(connectingBackend());
  const { channels, closed } = await open(server, forwardTarget([target.port]), 'v4.channel.k8s.io');
  await closed;
  const port = Buffer.alloc(2);
  port.writeUInt16LE(target.port);
  expect(channels.get(0)).toBe(`${port.toString()}hello`);
});
