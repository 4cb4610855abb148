import { constants, openSync, readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { ConsoleSocket } from './console-socket.ts';
import { duplexFd } from './duplex-fd.ts';
import { AF_UNIX, openPty, SOCK_STREAM, socket, connectUnix } from './libc.ts';
import { accept, listenUnix, receiveDescriptor } from './libc-socket.ts';
import { connectToLoopback } from './loopback.ts';
import { pinNamespaces, unpinNamespaces, inNetworkNamespace } from './namespace.ts';
import { peerHasLeft, resetUnlessEnded } from './peer.ts';
import { closeFd } from './pipe.ts';
import { spawn } from './spawn.ts';
import { Terminal } from './terminal.ts';
import { eventually } from './testing/eventually.ts';
import { readText } from './testing/read-text.ts';
import { tempDir } from './testing/temp-dir.ts';

const sendsItsTerminal = (path: string) => `
import socket, array, os
s = socket.socket(socket.AF_UNIX)
s.connect("${path}")
master, slave = os.openpty()
s.sendmsg([b"console"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [master]))])
os.write(slave, b"hello")
os.read(0, 1)
`;

test('ConsoleSocket.receive() hands over a terminal, which can be read and written', async () => {
  using dir = tempDir();
  await using listening = ConsoleSocket.listen(dir.join('console.sock'));
  const child = spawn({
    file: '/usr/bin/python3',
    args: ['-c', sendsItsTerminal(listening.path)],
    stdin: 'pipe',
  });
  const fd = await listening.receive(testCall);
  expect(readlinkSync(`/proc/self/fd/${fd}`)).toBe('/dev/ptmx');
  const terminal = new Terminal(fd);
  const [output] = (await once(terminal, 'data')) as [Buffer];
  expect(output.toString()).toBe('hello');
  child.stdin?.end('x');
  await Promise.all([child.exited, once(terminal, 'end')]);
  terminal.destroy();
});

test('ConsoleSocket.receive() gives up when the caller does', async () => {
  using dir = tempDir();
  await using listening = ConsoleSocket.listen(dir.join('console.sock'));
  const call = { signal: AbortSignal.timeout(20) };
  await expect(listening.receive(call)).rejects.toMatchObject({ name: 'TimeoutError' });
});

test('receiveDescriptor() refuses a message without a descriptor', async () => {
  using dir = tempDir();
  const listening = socket(AF_UNIX, SOCK_STREAM);
  listenUnix(listening, dir.join('s'));
  const client = new Socket().connect(dir.join('s'));
  client.write('no descriptor');
  const accepted = await eventually(() => tryTo(() => accept(listening)));
  await eventually(() => {
    try {
      receiveDescriptor(accepted);
    } catch (error) {
      return (error as { code: string }).code === 'EBADMSG';
    }
    return false;
  });
  client.destroy();
  closeFd(accepted);
  closeFd(listening);
});

function tryTo<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}

test('duplexFd() writes to the master of a terminal without ever blocking', async () => {
  const { masterFd } = openPty();
  const terminal = duplexFd(masterFd);
  terminal.write(Buffer.alloc(1024 * 1024, 'x'));
  expect(terminal.writableLength).toBeGreaterThan(0);
  terminal.destroy();
  await once(terminal, 'close');
});

test('Terminal loses nothing of what was written before the other side closes', async () => {
  const { masterFd, slavePath } = openPty();
  const script = 'stty raw; head -c 300000 /dev/zero';
  const slave = openSync(slavePath, constants.O_RDWR | constants.O_NOCTTY);
  const child = spawn({ file: '/bin/sh', args: ['-c', script], stdin: slave, stdout: slave });
  closeFd(slave);
  const terminal = new Terminal(masterFd);
  let bytes = 0;
  for await (const chunk of terminal as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    await delay(1);
  }
  await child.exited;
  expect(bytes).toBe(300_000);
});

test('Terminal.resize() is seen by the programs on it', async () => {
  const { masterFd, slavePath } = openPty();
  const terminal = new Terminal(masterFd);
  const slave = openSync(slavePath, constants.O_RDWR | constants.O_NOCTTY);
  terminal.resize({ rows: 33, columns: 101 });
  const child = spawn({ file: '/usr/bin/stty', args: ['size'], stdin: slave, stdout: 'pipe' });
  closeFd(slave);
  expect(await readText(child.stdout)).toBe('33 101');
  terminal.destroy();
});

async function listenOn(host: string): Promise<{ port: number } & Disposable> {
  const server = createServer((connection) => connection.pipe(connection)).listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.dispose]: () => void server.close() };
}

test.for(['127.0.0.1', '::1'])('connectToLoopback() reaches a server on %s', async (host) => {
  using server = await listenOn(host);
  const connection = await connectToLoopback(testCall, undefined, server.port);
  connection.end('echo');
  const [answer] = (await once(connection, 'data')) as [Buffer];
  expect(answer.toString()).toBe('echo');
  await once(connection, 'close');
});

test('connectToLoopback() connects in the given namespace, not in ours', async () => {
  using dir = tempDir();
  using server = await listenOn('127.0.0.1');
  pinNamespaces({ dir: dir.path, types: ['net'] });
  try {
    const elsewhere = connectToLoopback(testCall, dir.join('net'), server.port);
    await expect(elsewhere).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(inNetworkNamespace(dir.join('net'), () => readlinkSync('/proc/thread-self/ns/net'))).not.toBe(
      readlinkSync('/proc/thread-self/ns/net'),
    );
  } finally {
    unpinNamespaces(dir.path);
  }
});

test('peerHasLeft() notices a peer that leaves while nothing is read', async () => {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Socket().connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  client.write('unread');
  expect(peerHasLeft(accepted)).toBe(false);
  client.end();
  await eventually(() => peerHasLeft(accepted));
  accepted.destroy();
  client.destroy();
  server.close();
});

test('resetUnlessEnded() shows a peer that the connection was cut', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Socket().connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  resetUnlessEnded(accepted);
  accepted.destroy();
  const [error] = (await once(client.resume(), 'error')) as [{ code: string }];
  expect(error.code).toBe('ECONNRESET');
  server.close();
});

test('listenUnix() refuses a path that is too long', () => {
  const fd = socket(AF_UNIX, SOCK_STREAM);
  expect(() => {
    listenUnix(fd, `/tmp/${'x'.repeat(120)}`);
  }).toThrow('ENAMETOOLONG');
  closeFd(fd);
});

test('connectUnix() finds no socket where there is none', () => {
  const fd = socket(AF_UNIX, SOCK_STREAM);
  expect(() => {
    connectUnix(fd, '/tmp/davit-test-none');
  }).toThrow('ENOENT');
  closeFd(fd);
});
