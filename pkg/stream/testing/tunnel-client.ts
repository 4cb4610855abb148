// A client of SPDY within a WebSocket, as kubectl forwards ports, for tests. The name of the protocol has a slash,
// which `ws` refuses: so the handshake is made by hand.

import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Socket } from 'node:net';
import { createWebSocketStream, WebSocket } from 'ws';
import { SpdyClient } from './spdy-client.ts';

const PROTOCOL = 'SPDY/3.1+portforward.k8s.io';

export async function connectTunnel(url: string): Promise<SpdyClient> {
  const headers = {
    ...{ Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
    ...{ 'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'), 'Sec-WebSocket-Protocol': PROTOCOL },
  };
  const send = url.startsWith('https:') ? requestTls : request;
  const sent = send(url, { headers, agent: false }).end();
  const [{ headers: answer }, transport, head] = (await once(sent, 'upgrade')) as [
    IncomingMessage,
    Socket,
    Buffer,
  ];
  if (answer['sec-websocket-protocol'] !== PROTOCOL) throw new Error('the server chose another protocol');
  // Without an address it takes a connection that is there already.
  const socket = new WebSocket(null as never, undefined, {}) as WebSocket & {
    _isServer: boolean;
    setSocket(socket: Socket, head: Buffer, options: object): void;
  };
  socket._isServer = false; // so it masks what it sends, as clients must
  socket.setSocket(transport, head, { maxPayload: 0, allowSynchronousEvents: true });
  const stream = createWebSocketStream(socket);
  socket.on('close', () => stream.destroy()); // which it would not notice after a reset
  return new SpdyClient(stream);
}
