import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, Socket } from 'node:net';
import { expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { tempDir } from '../testing/temp-dir.ts';
import {
  accept,
  AF_UNIX,
  connectUnix,
  listenUnix,
  receiveDescriptor,
  send,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  socket,
} from './socket.ts';

test('connectUnix() and send() reach a listening socket', async () => {
  using dir = tempDir();
  const server = createServer().listen(dir.join('s'));
  await once(server, 'listening');
  const fd = socket(AF_UNIX, SOCK_STREAM);
  connectUnix(fd, dir.join('s'));
  expect(send(fd, Buffer.from('hello'))).toBe(5);
  closeSync(fd);
  server.close();
});

test('socket() knows SEQPACKET, connectUnix() the abstract namespace and the longest name', () => {
  const fd = socket(AF_UNIX, SOCK_SEQPACKET);
  expect(() => {
    connectUnix(fd, `@davit-test-${process.pid}`);
  }).toThrow('ECONNREFUSED');
  expect(() => {
    connectUnix(fd, `/${'x'.repeat(107)}`);
  }).toThrow('ENAMETOOLONG');
  closeSync(fd);
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
  closeSync(accepted);
  closeSync(listening);
});

function tryTo<T>(body: () => T): T | undefined {
  try {
    return body();
  } catch {
    return undefined;
  }
}

test('listenUnix() refuses a path that is too long', () => {
  const fd = socket(AF_UNIX, SOCK_STREAM);
  expect(() => {
    listenUnix(fd, `/tmp/${'x'.repeat(120)}`);
  }).toThrow('ENAMETOOLONG');
  closeSync(fd);
});

test('connectUnix() finds no socket where there is none', () => {
  const fd = socket(AF_UNIX, SOCK_STREAM);
  expect(() => {
    connectUnix(fd, '/tmp/davit-test-none');
  }).toThrow('ENOENT');
  closeSync(fd);
});
