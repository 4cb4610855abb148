// Ports forwarded over a WebSocket as channels: two for each port, one connection each. Only clients of long ago
// do it so.

import type { WebSocket } from 'ws';
import type { Call } from '../../base/call.ts';
import { linkSignals } from '../../base/signal.ts';
import type { PortForwardTarget, StreamBackend } from '../backend.ts';
import { forward } from '../port-forward.ts';
import { Channels } from './channels.ts';
import type { CommandProtocol } from './protocols.ts';

/** Channels have numbers of one byte, of which 255 is not one. */
const MAX_PORTS = 127;

/** Goes on until the client leaves, all connections have ended, or `call.signal` aborts. */
export async function forwardOverChannels(
  backend: Pick<StreamBackend, 'connect'>,
  call: Call,
  target: PortForwardTarget,
  { socket, protocol }: { readonly socket: WebSocket; readonly protocol: CommandProtocol },
): Promise<void> {
  const channels = new Channels({ socket, encoding: protocol.encoding, canClose: false });
  using either = linkSignals(call.signal, channels.left);
  const session = { ...call, signal: either.signal };
  const connections = target.ports.slice(0, MAX_PORTS).map((port, index) => {
    const [data, error] = [channels.open(2 * index), channels.open(2 * index + 1)];
    for (const channel of [data, error]) channel.write(encodePort(port));
    return forward(backend, session, target, { data, error, port, canHalfClose: false });
  });
  await Promise.all(connections);
  await channels.close();
}

/** Each channel begins with its port, the lower byte first. */
function encodePort(port: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(port);
  return bytes;
}
