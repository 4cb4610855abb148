import { readlinkSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { testCall } from '../base/testing/call.ts';
import { connectToLoopback } from './loopback.ts';
import { pinNamespaces, unpinNamespaces, inNetworkNamespace } from './namespace.ts';
import { tempDir } from './testing/temp-dir.ts';

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
