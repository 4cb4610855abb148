// One client that has come with a good token: finds out what it speaks, and serves it to its end.

import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { createWebSocketStream, type WebSocket } from 'ws';
import type { Call } from '../base/call.ts';
import { linkSignals } from '../base/signal.ts';
import { serveAttach } from './attach.ts';
import type { AttachTarget, ExecTarget, PortForwardTarget, StreamBackend, StreamTarget } from './backend.ts';
import { namesOf, type ClientStreams } from './client-streams.ts';
import { serveExec } from './exec.ts';
import { forwardOverChannels } from './websocket/forward.ts';
import { forwardOverSpdy } from './spdy/forward.ts';
import { acceptSpdyClient } from './spdy/client-streams.ts';
import * as spdy from './spdy/protocols.ts';
import { accept, refuse, type Upgrade } from './upgrade.ts';
import { upgradeToWebSocket } from './websocket/upgrade.ts';
import { acceptWebSocketClient } from './websocket/client-streams.ts';
import * as webSocket from './websocket/protocols.ts';

export interface SessionOptions {
  readonly backend: StreamBackend;
  /** Whose signal aborts when the server stops. */
  readonly call: Call;
  readonly creationTimeoutMs: number;
}

/** What has come over HTTP. */
export interface Arrival {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  /** What the client has sent already of what comes after HTTP. */
  readonly head: Buffer;
  readonly upgrade: Upgrade;
}

/** Ends when the client has gone. @throws {Fault} the client does not keep to the protocol, or to the time */
export async function serveClient(
  options: SessionOptions,
  target: StreamTarget,
  arrival: Arrival,
): Promise<void> {
  if (target.kind === 'portforward') await servePortForward(options, target, arrival);
  else await serveCommand(options, target, arrival);
}

async function serveCommand(
  { backend, call, creationTimeoutMs }: SessionOptions,
  target: ExecTarget | AttachTarget,
  arrival: Arrival,
): Promise<void> {
  const client = await acceptCommandClient(target, arrival, creationTimeoutMs);
  if (client === undefined) return;
  using either = linkSignals(call.signal, client.left);
  const session = { ...call, signal: either.signal };
  if (target.kind === 'exec') await serveExec(backend, session, target, client);
  else await serveAttach(backend, session, target, client);
}

/** @returns `undefined` if they have no protocol in common; the client knows then */
async function acceptCommandClient(
  target: ExecTarget | AttachTarget,
  arrival: Arrival,
  creationTimeoutMs: number,
): Promise<ClientStreams | undefined> {
  const { socket, upgrade } = arrival;
  if (upgrade.transport === 'spdy') {
    const protocol = spdy.chooseCommandProtocol(upgrade.offered);
    if (protocol === undefined) {
      refuseProtocol(arrival, spdy.namesFor(target.kind));
      return undefined;
    }
    beginSpdy(arrival, protocol.name);
    const { version } = protocol;
    return await acceptSpdyClient({
      transport: socket,
      names: namesOf(target, version),
      version,
      creationTimeoutMs,
    });
  }
  const protocol = webSocket.chooseCommandProtocol(upgrade.offered);
  if (protocol === undefined) {
    refuseProtocol(arrival, []);
    return undefined;
  }
  const connection = await upgradeToWebSocket(arrival, protocol.name);
  return acceptWebSocketClient(connection, namesOf(target, protocol.version), protocol);
}

async function servePortForward(
  { backend, call, creationTimeoutMs }: SessionOptions,
  target: PortForwardTarget,
  arrival: Arrival,
): Promise<void> {
  const { socket, upgrade } = arrival;
  if (upgrade.transport === 'spdy') {
    const protocol = spdy.chooseForwardProtocol(upgrade.offered);
    if (protocol === undefined) {
      refuseProtocol(arrival, spdy.namesFor(target.kind));
      return;
    }
    beginSpdy(arrival, protocol.name);
    await forwardOverSpdy(backend, call, target, { transport: socket, creationTimeoutMs });
  } else if (upgrade.offered.includes(webSocket.TUNNEL_PROTOCOL)) {
    const connection: WebSocket = await upgradeToWebSocket(arrival, webSocket.TUNNEL_PROTOCOL);
    const transport = createWebSocketStream(connection);
    await forwardOverSpdy(backend, call, target, { transport, creationTimeoutMs });
  } else {
    const protocol = webSocket.chooseForwardProtocol(upgrade.offered);
    if (protocol === undefined) refuseProtocol(arrival, []);
    else {
      const connection = await upgradeToWebSocket(arrival, protocol.name);
      await forwardOverChannels(backend, call, target, { socket: connection, protocol });
    }
  }
}

function beginSpdy({ socket, head }: Arrival, protocol: string): void {
  accept(socket, protocol === '' ? [] : [['X-Stream-Protocol-Version', protocol]]);
  if (head.length > 0) socket.unshift(head);
}

function refuseProtocol({ socket, upgrade }: Arrival, known: readonly string[]): void {
  const message = `none of the offered protocols is known: "${upgrade.offered.join(', ')}"`;
  const headers = known.map((name) => ['X-Accepted-Stream-Protocol-Versions', name] as const);
  refuse(socket, 403, message, headers);
}
