import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { peerHasLeft, resetUnlessEnded } from './peer.ts';
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
