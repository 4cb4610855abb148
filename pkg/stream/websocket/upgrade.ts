// The handshake of a WebSocket.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { Fault } from '../../base/fault.ts';
import { TUNNEL_PROTOCOL } from './protocols.ts';

/** Clients write 32 KiB at a time. A message is held until it is whole. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** @throws {Fault} invalid_argument — it was no proper handshake; the client has been told */
export async function upgradeToWebSocket(
  arrival: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  protocol: string,
): Promise<WebSocket> {
  const { request, socket, head } = arrival;
  const server = new WebSocketServer({
    ...{ noServer: true, clientTracking: false, autoPong: false, perMessageDeflate: false },
    maxPayload: MAX_MESSAGE_BYTES,
    handleProtocols: () => protocol,
  });
  if (protocol === TUNNEL_PROTOCOL) {
    // A name with a slash is against the specification of WebSockets, and `ws` would refuse it.
    delete request.headers['sec-websocket-protocol'];
    server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  }
  return await new Promise((resolve, reject) => {
    socket.once('close', () => {
      reject(new Fault('invalid_argument', 'the handshake of the WebSocket failed'));
    });
    server.handleUpgrade(request, socket, head, resolve);
  });
}
