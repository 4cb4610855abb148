import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { peerHasLeft, resetUnlessEnded } from './peer.ts';
import { signal } from './process.ts';
import { spawn } from './spawn.ts';
import { eventually } from './testing/eventually.ts';

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

test.for([
  ['127.0.0.1', '127.0.0.1'],
  ['::1', '::1'],
  ['::', '127.0.0.1'],
] as const)(
  'peerHasLeft() notices on %s a peer of which the kernel holds what nobody reads',
  async ([at, from]) => {
    const server = createServer({ pauseOnConnect: true }).listen(0, at);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const child = spawn({
      file: '/usr/bin/python3',
      args: [
        '-c',
        `import socket; socket.create_connection(("${from}", ${port})).sendall(bytes(64 * 1024 * 1024))`,
      ],
    });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    await expect.poll(() => hasMuchUnread(port)).toBe(true);
    expect(peerHasLeft(accepted)).toBe(false);
    await signal(child.identity, 'SIGKILL');
    await child.exited;
    await eventually(() => peerHasLeft(accepted));
    accepted.destroy();
    server.close();
  },
);

/** Whether a peer has sent as much as fits: more than one buffer of a socket. */
function hasMuchUnread(port: number): boolean {
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n'));
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const sending = lines.map((line) => line.trim().split(/\s+/)).filter((fields) => fields[2]?.endsWith(hex));
  return sending.some((fields) => parseInt(fields[4] ?? '0', 16) > 65_536);
}

async function connected() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = new Socket().connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  return { server, client, accepted };
}

test('resetUnlessEnded() shows a peer that the connection was cut', async () => {
  const { server, client, accepted } = await connected();
  resetUnlessEnded(accepted);
  accepted.destroy();
  const [error] = (await once(client.resume(), 'error')) as [{ code: string }];
  expect(error.code).toBe('ECONNRESET');
  server.close();
});

test('resetUnlessEnded() lets a slow peer have all that was written before our end', async () => {
  const { server, client, accepted } = await connected();
  client.pause();
  resetUnlessEnded(accepted);
  const written = Buffer.alloc(512 * 1024, 'x'); // more than the peer's kernel takes, less than ours
  accepted.end(written);
  await once(accepted, 'finish');
  accepted.destroy();
  await once(accepted, 'close');
  let bytes = 0;
  client.on('data', (chunk: Buffer) => (bytes += chunk.length));
  await once(client.resume(), 'end');
  expect(bytes).toBe(written.length);
  server.close();
});

test('peerHasLeft() is not misled by signals', async () => {
  const { server, client, accepted } = await connected();
  let signals = 0;
  const count = () => signals++;
  process.on('SIGUSR2', count);
  const script = `import os, signal\nwhile os.getppid() == ${process.pid}: os.kill(${process.pid}, signal.SIGUSR2)`;
  const child = spawn({ file: '/usr/bin/python3', args: ['-c', script] });
  for (let looks = 0; looks < 10_000; looks++) {
    if (looks % 100 === 0) await new Promise(setImmediate);
    expect(peerHasLeft(accepted)).toBe(false);
  }
  await eventually(() => signals > 0);
  await signal(child.identity, 'SIGKILL');
  await child.exited;
  process.off('SIGUSR2', count);
  for (const socket of [client, accepted]) socket.destroy();
  server.close();
});
